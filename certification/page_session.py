"""The part of the page about the session: facts, plots, refusals, stand-ins, processes.

Rules of this file:

*   What the session recorded is shown as it is; what it did not record is said to be missing.
*   Marks are the session's own. Without them, each bar at which the kernel was killed is one.

Not here: drawing (``plots.py``).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from certification.artefacts import Inputs
from certification.claims import HOLDS, Claim, listed
from certification.html import NOT_HELD, Html, badge, facts, missing, table
from certification.plots import (
    POSTURES,
    Mark,
    bar_time,
    equity_plot,
    mark_glyph,
    multiplier_plot,
    posture_plot,
    refusals_plot,
)

_MARKS = {
    "trip": "kill-switch trips",
    "rearm": "re-arm",
    "peak_reset": "peak reset",
    "restart": "restart",
    "flatten": "flatten",
    "other": "other",
}
_MARKS_LISTED = 60


def _marks(inputs: Inputs) -> tuple[Mark, ...]:
    """Return what the plots point at: the session's own list, else each bar that was killed."""
    if inputs.bars is None:
        return ()
    first, last = inputs.bars["bar"][0], inputs.bars["bar"][-1]
    listed_marks = (inputs.session or {}).get("marks")
    if listed_marks:
        return tuple(
            Mark(
                row["bar"],
                row["kind"] if row["kind"] in _MARKS else "other",
                str(row.get("text", row["kind"])),
            )
            for row in listed_marks
            if first <= row["bar"] <= last
        )
    killed = inputs.bars["killed"]
    return tuple(
        Mark(first + index, "trip", "killed")
        for index in range(len(killed))
        if killed[index] and (index == 0 or not killed[index - 1])
    )


def _key(kind: str) -> str:
    return (
        '<svg class="key" viewBox="-8 -8 16 16" aria-hidden="true">'
        f"{mark_glyph(kind, 0, 0)}</svg> {_MARKS[kind]}"
    )


def _plots(inputs: Inputs) -> str:
    bars = inputs.bars
    if bars is None:
        return missing(
            f"No plots: {inputs.bars_file.name} "
            + ("was tampered with." if inputs.bars_file.tampered else "is missing.")
        )
    marks = _marks(inputs)
    present = sorted({mark.kind for mark in marks}, key=list(_MARKS).index)
    key = " ".join(f'<span class="keyed">{_key(kind)}</span>' for kind in present)
    shares = ", ".join(
        f"{name} {100 * bars['posture'].count(number) / len(bars['posture']):.1f} %"
        for number, name in reversed(tuple(enumerate(POSTURES)))
    )
    with_day = bars["market_time_ms"][-1] - bars["market_time_ms"][0] >= 86_400_000
    first = bars["bar"][0]
    rows = [
        (
            f"{mark.bar:,}",
            bar_time(bars["market_time_ms"][mark.bar - first], with_day=with_day),
            Html(_key(mark.kind)),
            mark.text,
        )
        for mark in marks
    ]
    listed_marks = ""
    if rows:
        more = len(rows) - _MARKS_LISTED
        listed_marks = (
            f"<details open><summary>{len(rows)} marks</summary>"
            + table(("bar", "UTC", "what", "why"), rows[:_MARKS_LISTED], frozenset({0}))
            + (f'<p class="dim">and {more} more, in the journal</p>' if more > 0 else "")
            + "</details>"
        )
    return f"""<figure><figcaption><b>Equity</b>, USDT, and drawdown below its peak.</figcaption>
<div class="scroll">{equity_plot(bars, marks)}</div></figure>
<figure><figcaption><b>Multiplier and its five factors.</b> Blue: the total risk
multiplier R. Grey: the target that the sensors call for. Down at once, up only bar by bar. Each
factor runs from 0 to 1.</figcaption>
<div class="scroll">{multiplier_plot(bars, marks)}</div></figure>
<figure><figcaption><b>Posture</b>: {shares}. {key}</figcaption>
<div class="scroll">{posture_plot(bars, marks)}</div>{listed_marks}</figure>"""


def _grouped(shown: Sequence[Claim]) -> list[tuple[Html, str, str]]:
    """Return rows: what is not shown, one by one; then what is, those of one kind together."""
    rows = []
    kinds: dict[str, list[tuple[str, str]]] = {}
    for claim in shown:
        text = claim.text.removeprefix("Shown in the session: ")
        if claim.status != HOLDS:
            rows.append((badge(claim.status), text, claim.detail))
        else:
            kind, _, rest = text.partition(" ")
            kinds.setdefault(kind, []).append((rest, claim.detail))
    for kind, members in kinds.items():
        if len(members) == 1:
            rest, detail = members[0]
            rows.append((badge(HOLDS), f"{kind} {rest}".strip(), detail))
        else:
            said = "; ".join(f"{rest}: {detail}".strip(": ") for rest, detail in members)
            rows.append((badge(HOLDS), f"{kind}, {len(members)} kinds", said))
    return rows


def _posture(number: object) -> str:
    known = isinstance(number, int) and 0 <= number < len(POSTURES)
    return POSTURES[number] if known and isinstance(number, int) else "not said"


def _falls(session: Mapping[str, Any]) -> str:
    """Return what made the kernel step down: each sensor's demotions, each cause's kills."""
    parts = []
    demotions = session.get("demotions")
    if demotions:
        rows: dict[str, list[str]] = {}
        for row in demotions:
            fall = f"{row['bar']:,} {_posture(row.get('from'))} to {_posture(row.get('to'))}"
            rows.setdefault(row["sensor"], []).append(fall)
        parts.append(
            f"<h3>Demotions without a kill ({len(demotions)})</h3><p>By the factor that had fallen "
            "most over the bars before.</p>"
            + table(
                ("factor", "times", "at bar"),
                ((name, str(len(falls)), listed(falls, 8)) for name, falls in sorted(rows.items())),
                frozenset({1}),
            )
        )
    causes = Counter(cause for trip in session.get("trips", []) for cause in trip["causes"])
    if causes:
        parts.append(
            f"<h3>Kills by cause ({len(session['trips'])})</h3>"
            + table(
                ("cause", "times"),
                ((name, str(times)) for name, times in sorted(causes.items())),
                frozenset({1}),
                compact=True,
            )
        )
    return "".join(parts)


def session_section(inputs: Inputs, claims: tuple[Claim, ...]) -> str:
    head = '<h2 id="session">The session</h2>'
    session = inputs.session
    if session is None:
        return head + missing(f"{inputs.session_file.name} is missing.") + _plots(inputs)
    command = session.get("command", "")
    command = command if isinstance(command, str) else " ".join(map(str, command))
    data = session.get("data")
    if isinstance(data, dict):
        digest = str(data.get("sha256", ""))
        data = Html(
            f"<code>{escape(str(data.get('path', '?')))}</code>"
            + (f' <span class="mono dim">{escape(digest)}</span>' if digest else "")
        )
    elif data is None:
        data = "built-in market, generated from the seed"
    windows = ", ".join(str(window) for window in session.get("windows", []))
    dirty = " (with changes that are in no revision)" if session.get("dirty") else ""
    said = [
        ("command", Html(f"<code>{escape(command)}</code>") if command else ""),
        ("market", data),
        (
            "profile, seed",
            f"{session.get('profile', 'not said')}, {session.get('seed', 'not said')}",
        ),
        ("windows", windows),
        ("from, to", f"{session.get('started', 'not said')} to {session.get('ended', 'not said')}"),
        ("revision", f"{session.get('commit') or 'not recorded'}{dirty}"),
        *((str(name), str(value)) for name, value in session.get("machine", {}).items()),
    ]
    by_id = {claim.id: claim for claim in claims}
    shown = [claim for name, claim in by_id.items() if name.startswith("SHOWN-")]
    parts = [head, facts(said), "<h3>What the session had to show</h3>"]
    if shown:
        parts.append(table(("state", "shown", "how"), _grouped(shown)))
    else:
        parts.append(missing("Nothing is listed as shown."))
    beyond = session.get("not_applicable")
    if beyond:
        parts.append(
            "<h3>What this session could not meet</h3>"
            "<p>Neither counted as shown nor as missing.</p>"
            + table(("what", "why not"), sorted(beyond.items()), compact=True)
        )
    parts.append(_plots(inputs))
    parts.append(_falls(session))
    counts = session.get("counts", {})
    if counts:
        parts.append(
            "<h3>Counts</h3>"
            + facts(
                (
                    str(name).replace("_", " "),
                    f"{value:,}"
                    if isinstance(value, int)
                    else str("not said" if value is None else value),
                )
                for name, value in counts.items()
            ).replace("<dl>", '<dl class="counts">')
        )
    refusals = session.get("refusals")
    parts.append("<h3>Why the kernel refused</h3>")
    if refusals:
        numbers = {str(name): int(count) for name, count in refusals.items()}
        given = sum(1 for count in numbers.values() if count)
        parts.append(
            f"<figure><figcaption>{given} of {len(numbers)} reasons were given, "
            f"{sum(numbers.values()):,} times in all.</figcaption>"
            f'<div class="scroll">{refusals_plot(numbers)}</div></figure>'
        )
    else:
        parts.append(missing("The session records no refusals."))
    guard = (session.get("guard") or {}).get("refusals")
    if guard:
        parts.append(
            "<h3>Why the guard refused</h3><p>Orders that reached the guard with a permit that is "
            "wrong, old or used.</p>"
            + table(
                ("reason", "times"),
                ((name, f"{times:,}") for name, times in sorted(guard.items())),
                frozenset({1}),
                compact=True,
            )
        )
    stand_ins = session.get("stand_ins")
    parts.append("<h3>What stands in for a sensor</h3>")
    if stand_ins is None:
        parts.append(missing("The session does not say."))
    elif not stand_ins:
        parts.append("<p>Nothing: every sensor had its own data.</p>")
    else:
        parts.append(table(("sensor", "stand-in"), sorted(stand_ins.items())))
    parts.append("<h3>Processes and isolation</h3>")
    processes = session.get("processes")
    if processes:
        heads = [
            key
            for key in ("name", "level", "pid", "uid", "user", "exit")
            if any(key in row for row in processes)
        ]
        parts.append(
            table(
                heads,
                ([row.get(key, "not said") for key in heads] for row in processes),
                compact=True,
            )
        )
    else:
        parts.append(missing("The session records no processes."))
    measures = session.get("isolation")
    if measures:
        parts.append(
            table(
                ("measure", "state", "detail"),
                (
                    (
                        row["measure"],
                        badge(HOLDS if row["held"] else NOT_HELD),
                        row.get("detail", ""),
                    )
                    for row in measures
                ),
            )
        )
    else:
        parts.append(missing("The session records no measure of isolation: none is assumed."))
    return "".join(parts)
