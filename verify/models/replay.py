r"""The module that TLC replays: one action without parameters for each move and each answer.

Theory. TLC's graph labels an edge with an action's name, not with its parameters. So every move of
each stimulus becomes an action of its own, ``E12_ok == TRUE /\ CloseBar(5000, FALSE)`` and, for
each reason the event can be refused with, ``E12_COOLING == TRUE /\ <its verdict> = "COOLING" /\
UNCHANGED vars`` (without ``TRUE /\`` TLC prints the inner name). The number finds the move again.
The states stay what they are: no variable is added.

Rules of this file:

*   Real units: RT = 1000, ppm, milliseconds, the kernel's own limits. So ``kernel.step`` replays an
    edge as it ships, nothing substituted. The space of such states is not finite; a graph is every
    edge out of given states (``depth`` 1), or the whole reachable graph for a few stimuli.
*   The curves are CONSTANT operators filled with the kernel's values at the inputs that occur
    (``tables.py``). An input that is missing stops TLC, which is an error and not a match.
*   The module is generated from the stimuli alone, so that it has no opinion of its own.

Not here: running it and comparing (``edges.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel import constants as k
from kernel.constants import Profile
from kernel.state import Limits, State
from verify.models.encoding import VARIABLES, money, variables_of
from verify.models.moves import Move, call_of
from verify.models.tables import CURVES, curve_table
from verify.models.values import tla

MODULE = "MCReplay"

# The reasons each event can be refused with (docs/KERNEL.md, table of events), MALFORMED included.
CONFIRM = ("NO_REQUEST", "COOLING", "REQUEST_EXPIRED", "JOURNAL_DOWN")
REASONS: dict[str, tuple[str, ...]] = {
    "AdvanceTime": ("TIME_BACKWARDS",),
    "CloseBar": ("TIME_BACKWARDS", "BAR_TOO_SHORT", "MARKET_TIME_AHEAD"),
    "RecordHeartbeat": ("MALFORMED",),
    "ReportGrid": ("MALFORMED",),
    "ReportForewarner": ("MALFORMED",),
    "ReportBook": ("MALFORMED",),
    "ReportShock": (),
    "UpdateMark": ("MALFORMED", "INSTRUMENT_NOT_CLAIMED"),
    "ClaimInstrument": ("MALFORMED", "PERMIT_OUTSTANDING", "POSITION_OPEN", "INSTRUMENT_OWNED"),
    "RequestOrder": (
        "MALFORMED", "HIBERNATING", "FENCE_UNCONFIRMED", "INSTRUMENT_NOT_CLAIMED",
        "PERMIT_OUTSTANDING", "NO_MARK", "NOTHING_TO_REDUCE", "WOULD_GROW", "WOULD_FLIP",
        "POSITION_OPEN", "POSTURE_FORBIDS_ENTRY", "LIMIT_ONLY", "LEVERAGE_ABOVE_CEILING",
        "NOTIONAL_ABOVE_FRACTION", "EXPOSURE_ABOVE_CEILING",
    ),
    "ReportFill": ("MALFORMED",),
    "CloseOrder": ("MALFORMED", "NO_PERMIT"),
    "ConfirmFence": ("STALE_EPOCH",),
    "ReconcileLedger": ("MALFORMED",),
    "TripKillSwitch": ("MALFORMED",),
    "RequestRearm": ("NOTHING_TO_REARM",),
    "ConfirmRearm": CONFIRM,
    "RequestPeakReset": ("NOT_FLAT",),
    "ConfirmPeakReset": (*CONFIRM, "NOT_FLAT"),
    "FailJournal": (),
    "RestoreJournal": (),
    "RestartKernel": (),
}  # fmt: skip


AMOUNTS = {
    "PRICE_MAX": k.PRICE_MAX,
    "FEE_MAX": k.FEE_MAX,
    "CASH_MAX": k.CASH_MAX,
    "OpeningCash": k.PPM,
}


@dataclass(frozen=True)
class Inputs:
    """The inputs at which the models ask each curve."""

    structural_s: frozenset[int]
    environment_s: frozenset[int]
    drawdown_ppm: frozenset[int]
    latency_ms: frozenset[int]
    jitter_ms: frozenset[int]
    depth_ppm: frozenset[int]
    bar_ms: frozenset[int]


def inputs_of(states: Iterable[State], moves: Iterable[Move]) -> Inputs:
    """Return every input that occurs in ``states``, and the bars that ``moves`` can close."""
    survivals = [(state.survival, state.ledger.drawdown_ppm) for state in states]
    latencies = set()
    for reading, _ in survivals:
        latencies |= {reading.book_latency_ms, max(reading.book_latency_ms, reading.book_age_ms)}
    bars = {
        max(0, min(int(str(move.arguments[0])), k.RECOVERY_MS_MAX))
        for move in moves
        if move.action == "CloseBar"
    }
    return Inputs(
        structural_s=frozenset(-(-reading.forewarner_age_ms // 1000) for reading, _ in survivals),
        environment_s=frozenset(reading.shock_age_ms // 1000 for reading, _ in survivals),
        drawdown_ppm=frozenset(drawdown for _, drawdown in survivals),
        latency_ms=frozenset(min(late, k.LATENCY_MS_MAX) for late in latencies),
        jitter_ms=frozenset(reading.book_jitter_ms for reading, _ in survivals),
        depth_ppm=frozenset(reading.depth_quality_ppm for reading, _ in survivals),
        bar_ms=frozenset(bars),
    )


def function(pairs: Sequence[tuple[int, int]]) -> str:
    """Return a function as TLA+ text; the empty one is <<>>."""
    return " @@ ".join(f"{key} :> {value}" for key, value in pairs) or "<<>>"


def _tables(profile: Profile, inputs: Inputs) -> list[str]:
    suffix = "bible" if profile == Profile.BIBLE else "specification"
    gain_by = (
        k.RECOVERY_BIBLE_MS_PER_PPM
        if profile == Profile.BIBLE
        else k.RECOVERY_SPECIFICATION_MS_PER_PPM
    )
    named = {
        "CapitalCurve": curve_table("capital", inputs.drawdown_ppm),
        "StructuralDecay": curve_table(f"structural_decay_{suffix}", inputs.structural_s),
        "EnvironmentCurve": curve_table(f"environment_{suffix}", inputs.environment_s),
        "LatencyCurve": curve_table("latency_specification", inputs.latency_ms),
        "JitterCurve": curve_table("jitter_specification", inputs.jitter_ms),
        "DepthCurve": curve_table("depth_specification", inputs.depth_ppm),
        "GainOver": [(dt, dt // gain_by) for dt in sorted(inputs.bar_ms)],
    }
    lines = []
    for name, pairs in named.items():
        lines.append(f"{name}Table ==\n    {function(pairs)}")
        asked = "Min(x, LATENCY_MS_MAX)" if name == "LatencyCurve" else "x"
        lines.append(f"R{name}(x) == {name}Table[{asked}]")
    assert CURVES  # the names above are its own
    return lines


def state_text(state: State) -> str:
    """Return the variables of a state as a TLA+ tuple, in the order of ``VARIABLES``.

    A function of 0..n is written as one, since a tuple would be a function of 1..n.
    """
    found = variables_of(state)
    texts = []
    for name in VARIABLES:
        value = found[name]
        if isinstance(value, tuple) and len(value) in (4, 8):
            inner = " @@ ".join(f"{key} :> {tla(item)}" for key, item in enumerate(value))
            texts.append(f"({inner})")
        else:
            texts.append(tla(value))
    return "<<" + ", ".join(texts) + ">>"


def module_text(
    limits: Limits, seeds: Sequence[State], moves: Sequence[Move], inputs: Inputs, depth: int
) -> str:
    """Return the text of the generated module."""
    lines = [f"---- MODULE {MODULE} ----", "EXTENDS Kernel, Sequences, TLC", ""]
    lines += _tables(limits.profile, inputs)
    beats = function(list(enumerate(limits.heartbeat_limit_ms)))
    lines.append(f"RHeartbeatLimit == {beats}")
    lines += [f"R{name} == {tla(money(value))}" for name, value in AMOUNTS.items()]
    lines.append("RNextEpoch(epoch) == epoch + 1")
    lines += ["Seeds == <<", ",\n".join(state_text(seed) for seed in seeds), ">>", ""]
    lines.append("RInit == \\E seed \\in {Seeds[i] : i \\in 1..Len(Seeds)} :")
    lines += [f"    /\\ {name} = seed[{at}]" for at, name in enumerate(VARIABLES, 1)]
    lines += ["", "RVars == <<" + ", ".join(VARIABLES) + ">>", ""]
    lines.append(f'Within == TLCGet("level") <= {depth}')
    bars = sorted({int(str(one.arguments[0])) for one in moves if one.action == "CloseBar"})
    lines.append(f"SlowRecovery == [][SV!RisesByBar({{{', '.join(map(str, bars))}}})]_vars")
    names = []
    for number, move in enumerate(moves):
        call = call_of(move)
        names.append(f"E{number}_ok")
        lines.append(f"E{number}_ok == Within /\\ {move.action}{call}")
        for reason in REASONS[move.action]:
            names.append(f"E{number}_{reason}")
            lines.append(
                f"E{number}_{reason} == Within /\\ {move.action}Verdict{call} = "
                f'"{reason}" /\\ UNCHANGED RVars'
            )
    lines += ["", "RNext ==", *(f"    \\/ {name}" for name in names), "===="]
    return "\n".join(lines) + "\n"


def constants_text(limits: Limits) -> list[str]:
    """Return the CONSTANTS section: the kernel's own numbers and the session's limits."""
    bible = limits.profile == Profile.BIBLE
    return [
        "CONSTANTS",
        "    RT = 1000",
        f'    profile = "{"bible" if bible else "specification"}"',
        f"    live = {tla(limits.live)}",
        f"    grid_in_use = {tla(limits.grid_in_use)}",
        "    heartbeat_limit_ms <- RHeartbeatLimit",
        f"    cooling_ms = {limits.cooling_ms}",
        f"    confirm_window_ms = {limits.confirm_window_ms}",
        f"    bar_ms_min = {limits.bar_ms_min}",
        f"    book_stale_ms = {limits.book_stale_ms}",
        "    SECOND_MS = 1000",
        f"    RECOVERY_MS_MAX = {k.RECOVERY_MS_MAX}",
        f"    AGE_MS_MAX = {k.AGE_MS_MAX}",
        f"    LATENCY_MS_MAX = {k.LATENCY_MS_MAX}",
        f"    GRID_MEMBERS_MAX = {k.GRID_MEMBERS_MAX}",
        "    Partitions = {0, 1, 2, 3}",
        "    Workers = {0, 1, 2, 3, 4, 5, 6, 7}",
        f"    INSTRUMENT_MAX = {k.INSTRUMENT_MAX}",
        f"    QUANTITY_MAX = {k.QUANTITY_MAX}",
        f"    LEVERAGE_PPM_MAX = {k.LEVERAGE_PPM_MAX}",
        f"    DOWN_AFTER = {k.BIBLE_DOWN_AFTER if bible else k.SPECIFICATION_DOWN_AFTER}",
        f"    UP_AFTER = {k.BIBLE_UP_AFTER if bible else k.SPECIFICATION_UP_AFTER}",
        *(f"    {name} <- R{name}" for name in (
            "CapitalCurve", "StructuralDecay", "EnvironmentCurve", "LatencyCurve", "JitterCurve",
            "DepthCurve", "GainOver", "NextEpoch")),
        *(f"    {name} <- R{name}" for name in AMOUNTS),
    ]  # fmt: skip
