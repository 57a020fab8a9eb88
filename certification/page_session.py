"""Views of the session for the report: result, trades, events in order.

Rules of this file:

*   What the session recorded is shown as it is; what it did not record is None, and the template
    says that it is missing.
*   Marks are the session's own. Without them, each bar at which the kernel was killed is one.
*   Prices come from values and lots: USDT for a coin. Nothing is rounded before it is shown.
*   Counts have an order: by group, and in it by name.

Not here: drawing (``plots.py``), the words around the figures (``templates/``).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from certification.artefacts import Inputs
from certification.claims import HOLDS, Claim, listed
from certification.plots import (
    KINDS,
    NARROW,
    POSTURES,
    WIDE,
    Frame,
    Mark,
    bar_time,
    equity_plot,
    mark_glyph,
    multiplier_plot,
    posture_plot,
    refusals_plot,
)
from certification.render import moment, percent, several, usdt

PPM = 1_000_000
TRADES_SHOWN = 12
GROUPS = (
    ("bars and market", ("bars", "gaps", "signals", "CloseBar", "UpdateMark")),
    ("orders and fills", ("entries", "exits", "RequestOrder", "ReportFill", "CloseOrder", "permits",
                          "ClaimInstrument", "ReconcileLedger")),
    ("kills and recoveries", ("trips", "demotions", "flattens", "ConfirmFence", "TripKillSwitch",
                              "RequestRearm", "ConfirmRearm", "RequestPeakReset",
                              "ConfirmPeakReset", "RestartKernel", "FailJournal",
                              "RestoreJournal")),
)  # fmt: skip


def both(draw: Callable[[Frame], str]) -> Markup:
    """Return a plot for wide screens and one for narrow ones; the style sheet shows one."""
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        Markup(draw(WIDE)),
        Markup(draw(NARROW)),
    )


def marks_of(inputs: Inputs) -> tuple[Mark, ...]:
    """Return what the plots point at: the session's own list, else each bar that was killed."""
    if inputs.bars is None:
        return ()
    first, last = inputs.bars["bar"][0], inputs.bars["bar"][-1]
    listed_marks = (inputs.session or {}).get("marks")
    if listed_marks:
        return tuple(
            Mark(
                row["bar"],
                row["kind"] if row["kind"] in KINDS else "other",
                words(row),
                bool(row.get("drill")),
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


def words(row: Mapping[str, Any]) -> str:
    """Return a mark in words: what, and an operator's own reason."""
    text = str(row.get("text", row["kind"]))
    if row.get("why"):
        text += f"; {row.get('who') or 'an operator'}: {row['why']}"
    return text


def glyph(kind: str, drill: bool) -> Markup:
    """Return a mark's shape for a line of text."""
    return Markup('<svg class="key" viewBox="-8 -8 16 16" aria-hidden="true">{}</svg>').format(
        Markup(mark_glyph(kind, 0, 0, drill=drill))
    )


# --- the result and the trades -------------------------------------------------------------------


def result_view(inputs: Inputs) -> dict[str, Any]:
    """Return the tiles of the first screen: (name, figure, what it is) each."""
    session = inputs.session or {}
    tiles = []
    bars = inputs.bars
    cash = session.get("cash") or {}
    last = cash.get("last")
    first = cash.get("first")
    if bars is not None:
        # What is open at the end is worth its mark: equity, not cash, is the result.
        last = bars["equity"][-1] if last is None or bars.get("position", (1,))[-1] else last
        first = bars["equity"][0] if first is None else first
    if first and last is not None:
        change = percent(PPM * (last - first) / first)
        change = change if change.startswith("−") else f"+{change}"
        tiles.append(("equity, USDT", usdt(last), f"{usdt(first)} at the start"))
        tiles.append(("result", change, f"{usdt(last - first)} USDT after fees"))
    if bars is not None:
        deepest = max(bars["drawdown_ppm"])
        tiles.append(("deepest drawdown", percent(deepest), "below the equity's peak"))
    trades = session.get("trades")
    if trades is not None:
        closed = [row["result"] for row in trades if row["result"] is not None]
        won = sum(result > 0 for result in closed)
        drills = sum(bool(row["drill"]) for row in trades)
        by = f", {drills} by drills" if drills else ""
        tiles.append(("trades", f"{len(trades)}", f"{won} won, {len(closed) - won} lost{by}"))
    marks = session.get("marks")
    if marks is not None:
        kills = [row for row in marks if row["kind"] == "trip"]
        drills = sum(bool(row.get("drill")) for row in kills)
        said = "all of them drills" if kills and drills == len(kills) else f"{drills} by drills"
        tiles.append(("kills", str(len(kills)), said if kills else "the kill-switch never tripped"))
    return {"tiles": tiles, "equity": None if bars is None else both(
        lambda frame: equity_plot(bars, marks_of(inputs), frame))}  # fmt: skip


def price(value: int, lots: int, lot_ppm: int) -> str:
    """Return the mean price of a coin, USDT, of lots that were worth ``value`` together."""
    if lots == 0 or lot_ppm == 0:
        return "–"
    mean = value / lots / lot_ppm
    return f"{mean:,.2f}" if mean >= 10 else f"{mean:,.4f}"


def quantity(lots: int, lot_ppm: int) -> str:
    """Return lots as coins."""
    return f"{lots * lot_ppm / PPM:,.6f}".rstrip("0").rstrip(".")


def trades_view(inputs: Inputs) -> dict[str, Any] | None:
    """Return the trades in the order of their entries; None where the session lists none."""
    trades = (inputs.session or {}).get("trades")
    if trades is None:
        return None
    times = dict(zip(inputs.bars["bar"], inputs.bars["market_time_ms"], strict=True)) if (
        inputs.bars is not None) else {}  # fmt: skip

    def at(bar: int | None) -> str:
        if bar is None:
            return "–"
        return moment(times[bar]) if bar in times else f"bar {bar:,}"

    rows = [
        {
            "number": number,
            "instrument": row["instrument"],
            "side": row["side"],
            "quantity": quantity(row["entry_lots"], row["lot_ppm"]),
            "entered": at(row["entry_bar"]),
            "left": at(row["exit_bar"]),
            "entry": price(row["entry_value"], row["entry_lots"], row["lot_ppm"]),
            "exit": price(row["exit_value"], row["exit_lots"], row["lot_ppm"]),
            "result": "open" if row["result"] is None else usdt(row["result"]),
            "gain": row["result"] is not None and row["result"] > 0,
            "fees": usdt(row["fees"]),
            "entry_why": row["entry_why"],
            "exit_why": row["exit_why"],
            "drill": row["drill"],
        }
        for number, row in enumerate(trades, 1)
    ]
    closed = sum(row["result"] for row in trades if row["result"] is not None)
    return {
        "first": rows[:TRADES_SHOWN],
        "rest": rows[TRADES_SHOWN:],
        "result": usdt(closed),
        "fees": usdt(sum(row["fees"] for row in trades)),
    }


# --- what happened -------------------------------------------------------------------------------


def grouped(shown: Sequence[Claim]) -> list[tuple[str, str, str]]:
    """Return rows: what is not shown, one by one; then what is, those of one kind together."""
    rows = []
    kinds: dict[str, list[tuple[str, str]]] = {}
    for claim in shown:
        text = claim.text.removeprefix("Shown in the session: ")
        if claim.status != HOLDS:
            rows.append((claim.status, text, claim.detail))
        else:
            kind, _, rest = text.partition(" ")
            kinds.setdefault(kind, []).append((rest, claim.detail))
    for kind, members in kinds.items():
        if len(members) == 1:
            rest, detail = members[0]
            rows.append((HOLDS, f"{kind} {rest}".strip(), detail))
        else:
            said = "; ".join(f"{rest}: {detail}".strip(": ") for rest, detail in members)
            rows.append((HOLDS, f"{kind}, {several(len(members), 'kind')}", said))
    return rows


def posture_name(place: object) -> str:
    """Return a posture's name."""
    known = isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(POSTURES)
    return POSTURES[place] if known and isinstance(place, int) else "not said"


def falls(session: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what made the kernel step down: factor, how often, at which bars."""
    rows: dict[str, list[str]] = {}
    for row in session.get("demotions") or []:
        fall = f"{row['bar']:,} {posture_name(row.get('from'))} to {posture_name(row.get('to'))}"
        rows.setdefault(row["sensor"], []).append(fall)
    return [(name, str(len(bars)), listed(bars, 8)) for name, bars in sorted(rows.items())]


def counted(counts: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return the counts by group, each group sorted by name; what is in no group comes last."""
    groups = []
    left = dict(counts)
    for title, names in GROUPS:
        its = sorted((name, left.pop(name)) for name in names if name in left)
        if its:
            groups.append((title, its))
    if left:
        groups.append(("everything else", sorted(left.items())))
    return [(title, [(name.replace("_", " "), value) for name, value in its])
            for title, its in groups]  # fmt: skip


def _facts(session: Mapping[str, Any]) -> list[tuple[str, str]]:
    command = session.get("command", "")
    command = command if isinstance(command, str) else " ".join(map(str, command))
    data = session.get("data")
    if isinstance(data, Mapping):
        market = f"{data.get('path', 'not said')} (SHA-256 {data.get('sha256', 'not said')})"
    else:
        market = str(data) if data else "a generated market, made from the seed"
    dirty = " (with changes that are in no revision)" if session.get("dirty") else ""
    return [
        ("command", command),
        ("market", market),
        ("profile", str(session.get("profile", "not said"))),
        ("seed", str(session.get("seed", "not said"))),
        ("windows, bars", ", ".join(str(window) for window in session.get("windows", []))),
        ("started", str(session.get("started", "not said"))),
        ("ended", str(session.get("ended") or "not said")),
        ("revision", f"{session.get('commit') or 'not recorded'}{dirty}"),
        *((str(name), str(value)) for name, value in sorted(session.get("machine", {}).items())),
    ]


def _plots(inputs: Inputs) -> dict[str, Any] | None:
    bars = inputs.bars
    if bars is None:
        return None
    marks = marks_of(inputs)
    first = bars["bar"][0]
    count = len(bars["posture"])
    shares = [
        (name, f"{100 * bars['posture'].count(place) / count:.1f} %")
        for place, name in reversed(tuple(enumerate(POSTURES)))
    ]
    return {
        "posture": both(lambda frame: posture_plot(bars, marks, frame)),
        "multiplier": both(lambda frame: multiplier_plot(bars, marks, frame)),
        "shares": ", ".join(f"{name} {part}" for name, part in shares),
        "drills": any(mark.drill for mark in marks),
        "marks": [
            (
                f"{mark.bar:,}",
                bar_time(bars["market_time_ms"][mark.bar - first]),
                glyph(mark.kind, mark.drill),
                KINDS[mark.kind],
                mark.text,
                mark.drill,
            )
            for mark in marks
        ],
    }


def _processes(session: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    rows = session.get("processes") or []
    keys = ("name", "level", "pid", "uid", "user", "exit")
    heads = [key for key in keys if any(key in row for row in rows)]
    return heads, [[row.get(key, "not said") for key in heads] for row in rows]


def session_view(inputs: Inputs, claims: tuple[Claim, ...]) -> dict[str, Any]:
    """Return everything that the page says of the session."""
    session = inputs.session
    plots = _plots(inputs)
    view: dict[str, Any] = {
        "there": session is not None,
        "file": inputs.session_file.name,
        "bars_file": inputs.bars_file.name,
        "tampered": inputs.bars_file.tampered,
        "plots": plots,
        "trades": trades_view(inputs),
        "drills": bool((session or {}).get("drills")),
    }
    if session is None:
        return view
    shown = [claim for claim in claims if claim.id.startswith("SHOWN-")]
    causes = Counter(cause for trip in session.get("trips") or [] for cause in trip["causes"])
    refusals = {str(name): count for name, count in (session.get("refusals") or {}).items()}
    guard = (session.get("guard") or {}).get("refusals") or {}
    heads, processes = _processes(session)
    return view | {
        "facts": _facts(session),
        "shown": grouped(shown),
        "shown_all": bool(shown) and all(claim.status == HOLDS for claim in shown),
        "shown_count": len(shown),
        "beyond": sorted((session.get("not_applicable") or {}).items()),
        "causes": sorted(causes.items()),
        "falls": falls(session),
        "acts": session.get("acts") or [],
        "counts": counted({str(k): v for k, v in (session.get("counts") or {}).items()}),
        "refusals": None if not refusals else both(lambda frame: refusals_plot(refusals, frame)),
        "refusals_given": sum(1 for count in refusals.values() if count),
        "refusals_kinds": len(refusals),
        "refusals_total": sum(refusals.values()),
        "guard": sorted(guard.items()),
        "stand_ins": session.get("stand_ins"),
        "process_heads": heads,
        "processes": processes,
        "isolation": session.get("isolation") or [],
    }
