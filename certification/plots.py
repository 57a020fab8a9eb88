"""The report's plots, as SVG text: equity, the multiplier and its factors, posture, refusals.

Rules of this file:

*   SVG by hand, not by a plotting library: it takes its colours from the page (light, dark,
    print), stays text that can be searched and copied, and is the same bytes for the same bars.
*   All plots over time share one horizontal axis, the bar's number, so they line up when read
    downwards.
*   Nothing is smoothed. Where there are more bars than pixels, a column shows the least and the
    greatest of its bars, so no spike is lost.
*   A mark stands at its bar, however many stand beside it: each kind has a lane of its own, and
    what happened as a drill is an outline.
*   Each plot is drawn twice, for a wide screen and for a narrow one; the page shows one of them.
*   Colour never carries a meaning alone: postures differ in height and are named, marks differ in
    shape.

Not here: the page around them and the colours (``report.css``); what a mark means (``page.py``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import ceil, floor, log10
from typing import Any

AXIS = 36
CHARACTER = 6.2  # how wide a digit of a time is, at most

POSTURES = ("HIBERNATE", "TURTLE", "STALKER", "APEX")
FACTOR_NAMES = (
    ("cat1_ppm", "1 kill-switch"),
    ("structural_ppm", "2 structural"),
    ("micro_ppm", "3 microstruct."),
    ("environment_ppm", "4 environment"),
    ("capital_ppm", "5 capital"),
)
PPM = 1_000_000
MICRO = 1_000_000


@dataclass(frozen=True)
class Frame:
    """How wide a plot is, how much of it is left of the axis, and how many times are named."""

    width: int
    left: int
    ticks: int
    right: int = 14

    @property
    def end(self) -> int:
        """Where the plot ends on the right."""
        return self.width - self.right

    @property
    def inner(self) -> int:
        """How many pixels are between the axes."""
        return self.end - self.left


WIDE = Frame(1000, 92, 7)
NARROW = Frame(420, 84, 2)


@dataclass(frozen=True)
class Mark:
    """Something to point at: at which bar, of which kind, in which words; whether in a drill."""

    bar: int
    kind: str
    text: str
    drill: bool = False


# The kinds of marks, in the order of their lanes.
KINDS = {
    "trip": "kill",
    "flatten": "flatten",
    "rearm": "re-arm",
    "restart": "restart",
    "peak_reset": "peak reset",
    "other": "other",
}


@dataclass(frozen=True)
class Scale:
    """A linear scale from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        span = self.high - self.low
        return self.start + (value - self.low) / span * (self.end - self.start)


def nice_ticks(low: float, high: float, about: int) -> tuple[float, ...]:
    """Return round numbers inside [low, high], about as many as asked for."""
    if high <= low:
        return (low,)
    rough = (high - low) / max(1, about)
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return tuple(number * step for number in range(first, last + 1))


def thin(values: Sequence[float], columns: int) -> tuple[tuple[int, float], ...]:
    """Return (index, value) pairs, at most four a column: its first, least, greatest and last."""
    count = len(values)
    if count <= columns * 2:
        return tuple(enumerate(values))
    kept: list[tuple[int, float]] = []
    for column in range(columns):
        begin, end = column * count // columns, (column + 1) * count // columns
        if begin < end:
            indices = range(begin, end)
            chosen = {
                begin,
                end - 1,
                min(indices, key=values.__getitem__),
                max(indices, key=values.__getitem__),
            }
            kept += [(index, values[index]) for index in sorted(chosen)]
    return tuple(kept)


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _points(values: Sequence[float], x: Scale, y: Scale, first: int) -> list[str]:
    return [
        f"{_number(x(first + index))},{_number(y(value))}"
        for index, value in thin(values, round(x.end - x.start))
    ]


def _steps(values: Sequence[float], x: Scale, y: Scale, first: int) -> str:
    path = ""
    for index, value in thin(values, round(x.end - x.start)):
        px, py = _number(x(first + index)), _number(y(value))
        path += f"M{px} {py}" if not path else f"H{px}V{py}"
    return path


def _text(x: float, y: float, text: str, css: str = "", anchor: str = "end") -> str:
    return (
        f'<text x="{_number(x)}" y="{_number(y)}" class="{css}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return (
        f'<line x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}" '
        f'class="{css}"/>'
    )


def _grid(frame: Frame, y: Scale, ticks: Sequence[float], name: Callable[[float], str]) -> str:
    parts = []
    for tick in ticks:
        at = y(tick)
        parts.append(_line(frame.left, at, frame.end, at, "grid"))
        parts.append(_text(frame.left - 8, at + 4, name(tick)))
    return "".join(parts)


def bar_time(milliseconds: int) -> str:
    """Return a bar's market time with its year, UTC, to the minute; to the second where needed."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def _axis(frame: Frame, bars: Mapping[str, tuple[Any, ...]], x: Scale, bottom: float) -> str:
    numbers, times = bars["bar"], bars["market_time_ms"]
    first = numbers[0]
    parts = [_line(frame.left, bottom, frame.end, bottom, "axis")]
    free_from = 0.0
    for tick in nice_ticks(first, numbers[-1], frame.ticks):
        if tick != int(tick):
            continue
        at = x(tick)
        index = int(tick) - first
        parts.append(_line(at, bottom, at, bottom + 4, "axis"))
        anchor = "start" if at < frame.left + 40 else "middle" if at < frame.end - 48 else "end"
        parts.append(_text(at, bottom + 17, f"{int(tick):,}", "", anchor))
        when = bar_time(times[index])
        wide = CHARACTER * len(when)
        begins = at - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        if begins >= free_from:
            parts.append(_text(at, bottom + 31, when, "dim", anchor))
            free_from = begins + wide + CHARACTER
    parts.append(_text(frame.left - 12, bottom + 17, "bar"))
    parts.append(_text(frame.left - 12, bottom + 31, "UTC", "dim"))
    return "".join(parts)


def _mark_lines(marks: Sequence[Mark], x: Scale, top: float, bottom: float) -> str:
    return "".join(
        _line(x(mark.bar), top, x(mark.bar), bottom, f"mark {mark.kind}") for mark in marks
    )


def mark_glyph(kind: str, x: float, y: float, title: str = "", *, drill: bool = False) -> str:
    """Return the shape of a mark, centred: a triangle down for a trip, up for a re-arm, …"""
    shapes = {
        "trip": "M-6 -5H6L0 6Z",
        "rearm": "M-6 5H6L0 -6Z",
        "peak_reset": "M0 -7L6 0L0 7L-6 0Z",
        "restart": "M-5 -5H5V5H-5Z",
        "flatten": "M-6 -2H6V2H-6Z",
    }
    shape = shapes.get(kind, "M-3 -3H3V3H-3Z")
    label = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<path d="{shape}" transform="translate({_number(x)} {_number(y)})" '
        f'class="glyph {escape(kind)}{" drill" if drill else ""}">{label}</path>'
    )


def _svg(frame: Frame, height: float, label: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {frame.width} {_number(height)}" role="img" '
        f'aria-label="{escape(label)}">{body}</svg>'
    )


def scale_x(frame: Frame, bars: Mapping[str, tuple[Any, ...]]) -> Scale:
    """Return where a bar is: the scale that all plots of a frame share."""
    first, last = bars["bar"][0], bars["bar"][-1]
    return Scale(first, max(last, first + 1), frame.left, frame.end)


def equity_plot(
    bars: Mapping[str, tuple[Any, ...]], marks: Sequence[Mark], frame: Frame = WIDE
) -> str:
    """Return equity in USDT over the bars, and drawdown in per cent below it."""
    x = scale_x(frame, bars)
    first = bars["bar"][0]
    values = [value / MICRO for value in bars["equity"]]
    low, high = min(values), max(values)
    pad = max((high - low) * 0.06, abs(high) * 0.0005, 0.01)
    top, middle = 14.0, 214.0
    y = Scale(low - pad, high + pad, middle, top)
    ticks = nice_ticks(low - pad, high + pad, 5)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    digits = 0 if step >= 1 else 2
    parts = [_grid(frame, y, ticks, lambda tick: f"{tick:,.{digits}f}")]
    losses = [value / 10_000 for value in bars["drawdown_ppm"]]
    worst = max(max(losses), 0.01)
    under, bottom = middle + 26, middle + 96
    down = Scale(0, worst * 1.08, under, bottom)
    parts.append(
        _grid(frame, down, nice_ticks(0, worst, 4), lambda tick: f"−{tick:g} %" if tick else "0")
    )
    shape = " ".join(_points(losses, x, down, first))
    parts.append(
        f'<polygon class="loss" points="{_number(x(first))},{_number(under)} {shape} '
        f'{_number(x(bars["bar"][-1]))},{_number(under)}"/>'
    )
    parts.append(_mark_lines(marks, x, top, bottom))
    parts.append(f'<polyline class="line" points="{" ".join(_points(values, x, y, first))}"/>')
    parts.append(_text(frame.left + 6, under - 6, "drawdown", "dim", "start"))
    parts.append(_axis(frame, bars, x, bottom))
    label = (
        f"Equity from {values[0]:,.2f} to {values[-1]:,.2f} USDT, least {low:,.2f}, greatest "
        f"{high:,.2f}; greatest drawdown {max(losses):.2f} per cent"
    )
    return _svg(frame, bottom + AXIS, label, "".join(parts))


def multiplier_plot(
    bars: Mapping[str, tuple[Any, ...]],
    marks: Sequence[Mark],
    frame: Frame = WIDE,
) -> str:
    """Return the multiplier and the target it climbs to, and below it each of the five factors."""
    x = scale_x(frame, bars)
    first = bars["bar"][0]
    top, bottom = 14.0, 214.0
    y = Scale(0, 1.04, bottom, top)
    parts = [_grid(frame, y, (0, 0.25, 0.5, 0.75, 1.0), lambda tick: f"{tick:g}")]
    targets = [value / PPM for value in bars["target_ppm"]]
    multipliers = [value / PPM for value in bars["multiplier_ppm"]]
    parts.append(f'<path class="target" d="{_steps(targets, x, y, first)}"/>')
    parts.append(f'<path class="line" d="{_steps(multipliers, x, y, first)}"/>')
    floor_y = bottom
    for column, name in FACTOR_NAMES:
        above = floor_y + 16
        floor_y = above + 40
        small = Scale(0, 1.0, floor_y, above)
        values = [value / PPM for value in bars[column]]
        parts.append(_line(frame.left, above, frame.end, above, "grid"))
        parts.append(_line(frame.left, floor_y, frame.end, floor_y, "axis"))
        parts.append(_text(frame.left - 8, above + 15, name.split(" ")[0], "strong"))
        parts.append(_text(frame.left - 8, above + 29, name.split(" ", 1)[1], "dim"))
        path = _steps(values, x, small, first)
        parts.append(f'<path class="area" d="{path}V{_number(floor_y)}H{_number(x(first))}Z"/>')
        parts.append(f'<path class="line thin" d="{path}"/>')
        parts.append(_text(frame.end - 2, above - 3, f"least {min(values):.3f}", "dim"))
    parts.insert(1, _mark_lines(marks, x, top, floor_y))
    parts.append(_axis(frame, bars, x, floor_y))
    label = f"Multiplier between {min(multipliers):.3f} and {max(multipliers):.3f}; factors: " + (
        ", ".join(f"{name} least {min(bars[column]) / PPM:.3f}" for column, name in FACTOR_NAMES)
    )
    return _svg(frame, floor_y + AXIS, label, "".join(parts))


def posture_runs(postures: Sequence[int], first: int) -> tuple[tuple[int, int, int], ...]:
    """Return (posture, first bar, bar after the last) for each stretch of equal posture."""
    runs: list[tuple[int, int, int]] = []
    begin = 0
    for index in range(1, len(postures) + 1):
        if index == len(postures) or postures[index] != postures[begin]:
            runs.append((postures[begin], first + begin, first + index))
            begin = index
    return tuple(runs)


def posture_plot(
    bars: Mapping[str, tuple[Any, ...]], marks: Sequence[Mark], frame: Frame = WIDE
) -> str:
    """Return posture over the bars, one lane for each, with the marks above."""
    x = scale_x(frame, bars)
    lane = 30.0
    kinds = [kind for kind in KINDS if any(mark.kind == kind for mark in marks)]
    row = 20.0
    top = 12.0 + row * len(kinds)
    bottom = top + lane * len(POSTURES)
    parts = []
    for number, name in enumerate(POSTURES):
        above = bottom - lane * (number + 1)
        parts.append(_line(frame.left, above, frame.end, above, "grid"))
        parts.append(_text(frame.left - 8, above + lane / 2 + 4, name, "lane"))
    parts.append(_mark_lines(marks, x, 6, bottom))
    last = bars["bar"][-1]
    for posture, begin, end in posture_runs(bars["posture"], bars["bar"][0]):
        above = bottom - lane * (posture + 1) + 6
        left, right = x(begin), x(min(end, last))
        title = f"{POSTURES[posture]}, bars {begin:,} to {end - 1:,}"
        parts.append(
            f'<rect x="{_number(left)}" y="{_number(above)}" '
            f'width="{_number(max(right - left, 1))}" height="{_number(lane - 12)}" '
            f'class="posture p{posture}"><title>{title}</title></rect>'
        )
    for number, kind in enumerate(kinds):
        middle = 6 + row * (number + 0.5)
        parts.append(_text(frame.left - 8, middle + 4, KINDS[kind], "dim"))
        for mark in marks:
            if mark.kind == kind:
                said = f"bar {mark.bar:,}: {mark.text}" + (" (drill)" if mark.drill else "")
                parts.append(mark_glyph(kind, x(mark.bar), middle, said, drill=mark.drill))
    parts.append(_axis(frame, bars, x, bottom))
    shares = ", ".join(
        f"{name} {100 * bars['posture'].count(number) / len(bars['posture']):.0f} per cent"
        for number, name in enumerate(POSTURES)
    )
    return _svg(
        frame, bottom + AXIS, f"Posture over time: {shares}; {len(marks)} marks", "".join(parts)
    )


def refusals_plot(refusals: Mapping[str, int], frame: Frame = WIDE) -> str:
    """Return how often each reason was given, greatest first; a reason never given says so."""
    rows = sorted(refusals.items(), key=lambda row: (-row[1], row[0]))
    greatest = max((count for _, count in rows), default=0) or 1
    left, height = (250.0 if frame == WIDE else 205.0), 20.0
    parts = []
    for number, (reason, count) in enumerate(rows):
        y = 6 + number * height
        css = "" if count else "dim"
        parts.append(_text(left - 10, y + 13, reason, f"mono {css}"))
        if count:
            width = max(2.0, count / greatest * (frame.width - left - 90))
            parts.append(
                f'<rect class="bar" x="{_number(left)}" y="{_number(y + 3)}" '
                f'width="{_number(width)}" height="13"/>'
            )
            parts.append(_text(left + width + 7, y + 14, f"{count:,}", "", "start"))
        else:
            parts.append(_text(left + 2, y + 14, "never given", "dim", "start"))
    parts.append(_line(left, 4, left, 8 + len(rows) * height, "axis"))
    given = sum(1 for _, count in rows if count)
    return _svg(
        frame,
        12 + len(rows) * height,
        f"Refusals: {given} of {len(rows)} reasons were given, "
        f"{sum(refusals.values()):,} times in all",
        "".join(parts),
    )
