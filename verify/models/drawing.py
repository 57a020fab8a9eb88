"""Pictures: the posture machine from the kernel's own constants, counterexamples, small graphs.

Rules of this file:

*   SVG is written by hand: no layout engine, the same bytes from the same input.
*   The posture machine is drawn from ``kernel.constants``; no number is typed here twice.
*   A counterexample shows per step only the variables that changed, the old value struck out, as
    does the table for the terminal (``steps_table``).

Not here: where the pictures go (``dolphin/commands/check.py``).
"""

from collections.abc import Mapping
from html import escape
from itertools import pairwise

from kernel import constants as k
from verify.models.dot import Graph
from verify.models.tlc import Step
from verify.models.values import tla

PALETTE = ("#27547d", "#b3471f", "#3d7a3a", "#7a3d76", "#8a6d1d", "#1d7f82", "#a02c4e", "#555")
FONT = "font-family='DejaVu Sans,Helvetica,sans-serif'"


def _ppm(value: int) -> str:
    return f"{value / k.PPM:.2f}"


def posture_machine_svg() -> str:
    """Return the posture machine, both profiles side by side, as SVG."""
    names = ("APEX", "STALKER", "TURTLE", "HIBERNATE")
    may = (
        f"entries, leverage ≤ {k.CEILING_APEX}",
        f"entries, leverage ≤ {k.CEILING_STALKER}",
        "exits only",
        "the kernel's flatten only",
    )
    profiles = (
        ("bible", (k.BIBLE_APEX_PPM, k.BIBLE_STALKER_PPM, k.BIBLE_TURTLE_PPM),
         (k.BIBLE_APEX_PPM, k.BIBLE_STALKER_PPM, k.BIBLE_TURTLE_PPM),
         k.BIBLE_DOWN_AFTER, k.BIBLE_UP_AFTER),
        ("specification",
         (k.SPECIFICATION_APEX_DROP_PPM, k.SPECIFICATION_STALKER_DROP_PPM,
          k.SPECIFICATION_TURTLE_DROP_PPM),
         (k.SPECIFICATION_APEX_RISE_PPM, k.SPECIFICATION_STALKER_RISE_PPM,
          k.SPECIFICATION_TURTLE_RISE_PPM),
         k.SPECIFICATION_DOWN_AFTER, k.SPECIFICATION_UP_AFTER),
    )  # fmt: skip
    width, height, box_w, box_h, gap = 1080, 580, 220, 62, 88
    out = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' {FONT} font-size='13'>",
        "<defs><marker id='tip' markerWidth='9' markerHeight='9' refX='8' refY='4' orient='auto'>"
        "<path d='M0,0 L9,4 L0,8 z' fill='context-stroke'/></marker></defs>",
        f"<rect width='{width}' height='{height}' fill='#fcfcfa'/>",
        "<text x='24' y='30' font-size='17' font-weight='bold'>The posture machine</text>",
        "<text x='24' y='50' fill='#555'>R is the total risk multiplier. A demotion goes "
        "straight to the posture R calls for; a promotion climbs one. Any kill goes to "
        "HIBERNATE at once.</text>",
    ]
    fills = ("#d8ecd8", "#e4efd2", "#f6ecc9", "#f3d6d0")
    for column, (profile, drop, rise, down, up) in enumerate(profiles):
        left = 170 + column * 530
        out.append(
            f"<text x='{left}' y='86' font-size='15' font-weight='bold'>profile {profile}</text>"
        )
        for row, name in enumerate(names):
            top = 100 + row * (box_h + gap - 20)
            out.append(
                f"<rect x='{left}' y='{top}' width='{box_w}' height='{box_h}' rx='9' "
                f"fill='{fills[row]}' stroke='#444'/>"
                f"<text x='{left + box_w / 2}' y='{top + 26}' text-anchor='middle' "
                f"font-weight='bold'>{name}</text>"
                f"<text x='{left + box_w / 2}' y='{top + 46}' text-anchor='middle' "
                f"fill='#333'>{escape(may[row])}</text>"
            )
            if row == 3:
                continue
            below, x_down, x_up = top + box_h, left + 62, left + box_w - 62
            floor = below + gap - 20
            out.append(
                f"<path d='M{x_down},{below} V{floor}' stroke='#a33' fill='none' "
                "marker-end='url(#tip)'/>"
                f"<text x='{x_down - 8}' y='{below + 28}' text-anchor='end' fill='#a33'>"
                f"R &lt; {_ppm(drop[row])}</text>"
                f"<text x='{x_down - 8}' y='{below + 46}' text-anchor='end' fill='#a33' "
                f"font-size='11'>{down} bar{'s' if down > 1 else ''}, fence + 1</text>"
                f"<path d='M{x_up},{floor} V{below}' stroke='#275' fill='none' "
                "marker-end='url(#tip)'/>"
                f"<text x='{x_up + 8}' y='{below + 28}' fill='#275'>R ≥ {_ppm(rise[row])}</text>"
                f"<text x='{x_up + 8}' y='{below + 46}' fill='#275' font-size='11'>"
                f"{up} bar{'s' if up > 1 else ''}{', flat, fence confirmed' if row == 2 else ''}"
                "</text>"
            )
        side, foot = left - 68, 100 + 3 * (box_h + gap - 20) + box_h / 2
        out.append(
            f"<path d='M{left},{100 + box_h / 2} H{side} V{foot} "
            f"H{left}' stroke='#711' stroke-dasharray='5 4' fill='none' marker-end='url(#tip)'/>"
            f"<text x='{side - 8}' y='330' fill='#711' text-anchor='end'>kill:</text>"
            f"<text x='{side - 8}' y='348' fill='#711' text-anchor='end'>R = 0</text>"
        )
    out.append("</svg>")
    return "\n".join(out) + "\n"


def flatten_value(name: str, value: object) -> dict[str, str]:
    """Return ``value`` as leaves ``name[key].field`` → text."""
    if isinstance(value, Mapping) and value:
        leaves: dict[str, str] = {}
        for key, item in value.items():
            inner = f"{name}.{key}" if isinstance(key, str) else f"{name}[{tla(key)}]"
            leaves.update(flatten_value(inner, item))
        return leaves
    return {name: tla(value)}


def changes(
    before: Mapping[str, object], after: Mapping[str, object]
) -> list[tuple[str, str, str]]:
    """Return (variable, old, new) for every leaf that differs."""
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    for name, value in before.items():
        old.update(flatten_value(name, value))
    for name, value in after.items():
        new.update(flatten_value(name, value))
    return [
        (name, old.get(name, "—"), new.get(name, "—"))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def step_changes(trace: tuple[Step, ...]) -> list[tuple[Step, list[tuple[str, str, str]]]]:
    """Return every step of a counterexample with what it changed."""
    result: list[tuple[Step, list[tuple[str, str, str]]]] = []
    previous: Mapping[str, object] | None = None
    for step in trace:
        result.append((step, [] if previous is None else changes(previous, step.state)))
        previous = step.state
    return result


def counterexample_svg(title: str, trace: tuple[Step, ...], loop: int = 0) -> str:
    """Return a counterexample as SVG: a column of steps, each with what it changed."""
    line, left, card = 17, 70, 760
    out: list[str] = []
    y = 64
    middles: dict[int, int] = {}
    for step, changed in step_changes(trace):
        shown = changed or [("nothing changed", "", "")] if step.action != "Init" else []
        tall = 34 + line * max(1, len(shown))
        middles[step.number] = y + 18
        out.append(
            f"<circle cx='36' cy='{y + 18}' r='13' fill='#fff' stroke='#444'/>"
            f"<text x='36' y='{y + 22}' text-anchor='middle' font-size='11'>{step.number}</text>"
            f"<rect x='{left}' y='{y}' width='{card}' height='{tall - 8}' rx='7' fill='#fff' "
            "stroke='#bbb'/>"
            f"<text x='{left + 12}' y='{y + 18}' font-weight='bold'>{escape(step.action)}</text>"
        )
        for row, (name, old, new) in enumerate(shown):
            at = y + 18 + line * (row + 1)
            out.append(
                f"<text x='{left + 24}' y='{at}' font-size='12'>{escape(name)}"
                f"<tspan dx='10' fill='#a33' text-decoration='line-through'>{escape(old[:60])}"
                f"</tspan><tspan dx='8' fill='#275' font-weight='bold'>{escape(new[:60])}</tspan>"
                "</text>"
            )
        y += tall + 6
    ordered = [middles[step.number] for step in trace]
    for above, below in pairwise(ordered):
        out.append(f"<path d='M36,{above + 13} V{below - 13}' stroke='#444'/>")
    if loop and trace and loop in middles:
        last = middles[trace[-1].number]
        out.append(
            f"<path d='M23,{last} H10 V{middles[loop]} H23' stroke='#a33' fill='none' "
            "stroke-dasharray='4 3'/>"
        )
    height = y + 16
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='860' height='{height}' "
        f"viewBox='0 0 860 {height}' {FONT} font-size='13'>"
        f"<rect width='860' height='{height}' fill='#fcfcfa'/>"
        f"<text x='24' y='34' font-size='16' font-weight='bold'>{escape(title)}</text>"
    )
    return head + "\n" + "\n".join(out) + "\n</svg>\n"


def layers_of(graph: Graph) -> list[list[int]]:
    """Return the states by their distance from an initial one, each layer in the graph's order."""
    after: dict[int, list[int]] = {}
    for source, target, _ in graph.edges:
        after.setdefault(source, []).append(target)
    layers = [sorted(graph.initial)]
    seen = set(layers[0])
    while layers[-1]:
        ahead = dict.fromkeys(one for node in layers[-1] for one in after.get(node, ()))
        layers.append([node for node in ahead if node not in seen])
        seen.update(layers[-1])
    return layers[:-1]


def graph_svg(title: str, graph: Graph) -> str:
    """Return a small state graph as SVG: a column for each depth, an edge's action by its colour.

    What a state holds shows when the pointer rests on it, as does the name of an edge's action.
    Several actions between two states are one line; a step that changes nothing is not drawn.
    """
    layers = layers_of(graph)
    step_x, step_y, top = 74, 34, 70
    actions = sorted({action for _, _, action in graph.edges})
    colour = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(actions)}
    tall = max(map(len, layers))
    height = top + tall * step_y + 24
    width = max(60 + len(layers) * step_x, 640)
    at = {
        node: (50 + column * step_x, top + int((row + 0.5) * tall * step_y / len(layer)))
        for column, layer in enumerate(layers)
        for row, node in enumerate(layer)
    }
    joined: dict[tuple[int, int], list[str]] = {}
    for source, target, action in graph.edges:
        if source != target and action not in joined.setdefault((source, target), []):
            joined[source, target].append(action)
    out = []
    for (source, target), names in joined.items():
        (x1, y1), (x2, y2) = at[source], at[target]
        bend = 26 if x2 > x1 else -30
        out.append(
            f"<path d='M{x1},{y1} Q{(x1 + x2) // 2},{(y1 + y2) // 2 - bend} {x2},{y2}' fill='none' "
            f"stroke='{colour[names[0]]}' stroke-opacity='0.55'>"
            f"<title>{escape(', '.join(sorted(names)))}</title></path>"
        )
    numbers = {node: place for place, node in enumerate((n for row in layers for n in row), 1)}
    for node, (x, y) in at.items():
        lines = [f"{name} = {tla(value)}" for name, value in sorted(graph.states[node].items())]
        fill = "#d8ecd8" if node in graph.initial else "#fff"
        out.append(
            f"<g><circle cx='{x}' cy='{y}' r='12' fill='{fill}' stroke='#444'/>"
            f"<text x='{x}' y='{y + 4}' text-anchor='middle' font-size='10'>{numbers[node]}</text>"
            f"<title>{escape(chr(10).join(lines))}</title></g>"
        )
    x, y = 24, height
    for name in actions:
        length = 34 + 7 * len(name)
        if x + length > width:
            x, y = 24, y + 20
        out.append(
            f"<path d='M{x},{y} h18' stroke='{colour[name]}' stroke-width='3'/>"
            f"<text x='{x + 23}' y='{y + 4}' font-size='12'>{escape(name)}</text>"
        )
        x += length
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{y + 24}' "
        f"viewBox='0 0 {width} {y + 24}' {FONT} font-size='13'>"
        f"<rect width='{width}' height='{y + 24}' fill='#fcfcfa'/>"
        f"<text x='24' y='34' font-size='16' font-weight='bold'>{escape(title)}</text>"
    )
    return head + "\n" + "\n".join(out) + "\n</svg>\n"
