"""A rejection that explains itself, in one block.

    record 312 of a.journal is not a step of the model
      before   APEX, R 0.973, fence 3 confirmed, equity 25,012.33 USDT; worker 0: instrument 1 …
      claimed  RequestOrder(worker=0, …) → ok
      false    notional <= Capital × Ceiling div 5: notional = 31,000, bound = 30,000
      nearest  RequestOrder refused, NOTIONAL_ABOVE_FRACTION: nothing changes

Rules of this file:

*   What was rejected is TLC's word (``tlc.Rejection``). This file says it in the auditor's terms:
    which conjunct, with the values it compared, read from the state that the journal claims.
*   A guard's conjunct is the one of docs/KERNEL.md; ``CONJUNCTS`` has one for each reason, a test
    holds it complete.
*   Every action is a function of state and parameters: the nearest allowed outcome of the same
    action is its own result. For a claimed result it differs in the variables TLC named; for a
    claimed verdict it is the model's verdict.

Not here: judging.
"""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from kernel.constants import FRACTION_DIVISOR, PPM
from kernel.equity import equity
from kernel.gate import capital, ceiling, permit_price
from kernel.outcome import Accepted
from kernel.posture import effective
from kernel.slots import flat, owner_of
from kernel.state import State
from kernel.step import step_bare
from traces.audit.tlc import Rejection
from traces.codec import DeltaEncoder, EventRecord, unpack_record
from traces.replay import verdict_name
from traces.schema import COLUMN_BY_NAME, COLUMNS, EFFECT_NAMES

Values = tuple[tuple[str, object], ...]
Reader = Callable[[State, Any], Values]


@dataclass(frozen=True)
class Explanation:
    """One rejection, told. ``text`` is the whole block; the fields are its parts."""

    journal: str
    record: int
    before: str
    claimed: str
    false: str
    nearest: str

    @property
    def text(self) -> str:
        """Return the block."""
        return "\n".join(
            (
                f"record {self.record} of {self.journal} is not a step of the model",
                f"  before   {self.before}",
                f"  claimed  {self.claimed}",
                f"  false    {self.false}",
                f"  nearest  {self.nearest}",
            )
        )

    def data(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**parts, "text": self.text}


# --- the guards ----------------------------------------------------------------------------------


def _slot(state: State, event: Any) -> Any:
    return state.gate.slots[event.worker] if 0 <= event.worker < 8 else state.gate.slots[0]


def _notional(state: State, event: Any) -> int:
    return int(event.quantity * permit_price(_slot(state, event), event))


def _bars(state: State, event: Any) -> int:
    return int(event.market_time_ms - state.clock.market_time_ms)


def _request(state: State, _: Any) -> Values:
    ks = state.killswitch
    return (
        ("operator_request", ks.operator_request.name),
        ("operator_request_age_ms", ks.operator_request_age_ms),
        ("cooling_ms", state.limits.cooling_ms),
        ("confirm_window_ms", state.limits.confirm_window_ms),
    )


def _clocks(state: State, event: Any) -> Values:
    given = getattr(event, "process_time_ms", getattr(event, "market_time_ms", 0))
    own = (
        state.clock.process_time_ms
        if hasattr(event, "process_time_ms")
        else (state.clock.market_time_ms)
    )
    return (("event", given), ("clock", own))


def _own(name: str) -> Reader:
    return lambda state, event: ((name, getattr(_slot(state, event), name)),)


def _claims(state: State, event: Any) -> Values:
    owner = owner_of(state.gate, event.instrument)
    return (
        ("instrument", event.instrument),
        ("claimed by worker", owner if owner >= 0 else "none"),
    )


def _sizes(state: State, event: Any) -> Values:
    return (
        ("side", event.side), ("order", event.quantity), ("position", _slot(state, event).quantity),
    )  # fmt: skip


CONJUNCTS: Final[Mapping[str, tuple[str, Reader]]] = {
    "MALFORMED": ("every field is in its range", lambda s, e: tuple(vars(e).items())),
    "TIME_BACKWARDS": ("the event is not earlier than the clock", _clocks),
    "BAR_TOO_SHORT": (
        "dt >= bar_ms_min",
        lambda s, e: (("dt", _bars(s, e)), ("bar_ms_min", s.limits.bar_ms_min)),
    ),
    "MARKET_TIME_AHEAD": (
        "live => market time <= process time",
        lambda s, e: (
            ("market_time_ms", e.market_time_ms),
            ("process_time_ms", s.clock.process_time_ms),
        ),
    ),
    "INSTRUMENT_NOT_CLAIMED": ("the instrument is claimed by the worker", _claims),
    "INSTRUMENT_OWNED": ("no other worker claims the instrument", _claims),
    "POSITION_OPEN": ("quantity = 0", _own("quantity")),
    "PERMIT_OUTSTANDING": ("permit_kind = NONE", _own("permit_kind")),
    "HIBERNATING": ("posture # HIBERNATE", lambda s, e: (("posture", s.machine.posture.name),)),
    "FENCE_UNCONFIRMED": (
        "fence_confirmed",
        lambda s, e: (("fence_confirmed", s.gate.fence_confirmed),),
    ),
    "NO_MARK": ("mark # 0", _own("mark")),
    "NOTHING_TO_REDUCE": ("quantity # 0", _own("quantity")),
    "WOULD_GROW": ("the order's side is against the position's", _sizes),
    "WOULD_FLIP": ("the order is at most the position", _sizes),
    "POSTURE_FORBIDS_ENTRY": (
        "Effective >= STALKER",
        lambda s, e: (("Effective", effective(s).name), ("posture", s.machine.posture.name)),
    ),
    "LIMIT_ONLY": (
        "no market entry at STALKER (specification)",
        lambda s, e: (("Effective", effective(s).name), ("market", e.market)),
    ),
    "LEVERAGE_ABOVE_CEILING": (
        "leverage_ppm <= Ceiling × ONE",
        lambda s, e: (
            ("leverage_ppm", e.leverage_ppm),
            ("Ceiling × ONE", ceiling(effective(s)) * PPM),
        ),
    ),
    "NOTIONAL_ABOVE_FRACTION": (
        "notional <= Capital × Ceiling div 5",
        lambda s, e: (
            ("notional", _notional(s, e)),
            ("bound", capital(s.ledger) * ceiling(effective(s)) // FRACTION_DIVISOR),
        ),
    ),
    "EXPOSURE_ABOVE_CEILING": (
        "open + reserved + notional <= Capital × Ceiling",
        lambda s, e: (
            ("open", s.gate.open_notional),
            ("reserved", s.gate.reserved_notional),
            ("notional", _notional(s, e)),
            ("bound", capital(s.ledger) * ceiling(effective(s))),
        ),
    ),
    "NO_PERMIT": ("permit_kind # NONE", _own("permit_kind")),
    "STALE_EPOCH": (
        "epoch = fence_epoch and not yet confirmed",
        lambda s, e: (
            ("epoch", e.epoch),
            ("fence_epoch", s.gate.fence_epoch),
            ("fence_confirmed", s.gate.fence_confirmed),
        ),
    ),
    "NOTHING_TO_REARM": (
        "an integrity cause is latched",
        lambda s, e: (
            ("checksum", s.killswitch.latched_checksum),
            ("desync", s.killswitch.latched_desync),
            ("operator", s.killswitch.latched_operator),
        ),
    ),
    "NO_REQUEST": ("the operator asked for it before", _request),
    "COOLING": ("operator_request_age_ms >= cooling_ms", _request),
    "REQUEST_EXPIRED": ("operator_request_age_ms <= confirm_window_ms", _request),
    "JOURNAL_DOWN": (
        "journal_writable",
        lambda s, e: (("journal_writable", s.killswitch.journal_writable),),
    ),
    "NOT_FLAT": (
        "every slot has neither position nor permit",
        lambda s, e: (("Flat", flat(s.gate)),),
    ),
}


# --- telling -------------------------------------------------------------------------------------

_MONEY = re.compile(r"^<<(-?\d+), (\d+)>>$")


def _plain(value: object) -> str:
    return f"{value:,}" if type(value) is int else str(value)


def model_value(text: str) -> str:
    """Return a value as TLC printed it in the journal's terms: money in micro-USDT, 0 and 1."""
    match = _MONEY.match(text)
    if match:
        return str(int(match.group(1)) * PPM + int(match.group(2)))
    return {"TRUE": "1", "FALSE": "0"}.get(text, text)


def event_text(event: Any) -> str:
    """Return an event as it would be called."""
    given = ", ".join(f"{name}={value}" for name, value in vars(event).items())
    return f"{type(event).__name__}({given})"


def state_text(state: State) -> str:
    """Return what of a state a reader needs first."""
    ks, gate = state.killswitch, state.gate
    causes = [name for name in ("checksum", "desync", "operator") if getattr(ks, f"latched_{name}")]
    parts = [
        state.machine.posture.name,
        f"R {state.survival.multiplier_ppm / PPM:.6f}",
        "killed" + (f" ({', '.join(causes)})" if causes else "") if ks.killed else "not killed",
        f"fence {gate.fence_epoch} {'confirmed' if gate.fence_confirmed else 'unconfirmed'}",
        f"cash {state.ledger.cash / PPM:,.2f}, equity {equity(state.ledger) / PPM:,.2f} USDT",
        f"drawdown {state.ledger.drawdown_ppm / PPM:.4%}",
    ]
    for worker, slot in enumerate(gate.slots):
        if slot.quantity or slot.permit_kind:
            parts.append(
                f"worker {worker}: instrument {slot.instrument}, {slot.quantity:+d} lots at mark "
                f"{slot.mark}, permit {slot.permit_kind.name} {slot.permit_quantity:+d}"
            )
    return "; ".join(parts)


def _conjunct(reason: str, state: State, event: Any) -> str:
    """Return a guard with the values it compared; a guard that the event has not, as that."""
    text, read = CONJUNCTS[reason]
    try:
        values = ", ".join(f"{name} = {_plain(value)}" for name, value in read(state, event))
    except (AttributeError, ArithmeticError, LookupError, ValueError):
        return f"no guard of {type(event).__name__} refuses with {reason}"
    return f"{text}: {values}"


def _result(state: State, event: Any) -> str:
    """Return what the action does in that state, as changed columns."""
    outcome = step_bare(state, event)
    if not isinstance(outcome, Accepted):
        return f"refused, {outcome.reason.name}: nothing changes"
    record = unpack_record(0, DeltaEncoder(state).body(event, outcome))
    changes = ", ".join(f"{COLUMNS[code].name} = {value}" for code, value in record.changes)
    return "accepted" + (f", with {changes}" if changes else ", nothing changes")


def _effect_words(bits: str) -> str:
    number = ast.literal_eval(bits)
    names = [name for bit, name in enumerate(EFFECT_NAMES) if number >> bit & 1]
    return ", ".join(names) or "none"


def _false_and_nearest(
    rejection: Rejection, state: State | None, record: EventRecord
) -> tuple[str, str]:
    name = record.kind.name
    if rejection.what == "verdict":
        ((_, model, journal),) = rejection.particulars
        reason = journal if model == "ok" else model
        held = "the journal says it fails, it holds" if model == "ok" else "false"
        told = _conjunct(reason, state, record.event) if state else CONJUNCTS[reason][0]
        if model == "ok":
            nearest = _result(state, record.event) if state else "accepted"
            return f"{told} ({held})", f"{name} {nearest}"
        return f"{told} ({held})", f"{name} refused, {model}: nothing changes"
    if rejection.what == "effects":
        ((_, model, journal),) = rejection.particulars
        return (
            f"effects: the step's are {_effect_words(model)}, the journal says "
            f"{_effect_words(journal)}",
            f"the same {name} with effects: {_effect_words(model)}",
        )
    if rejection.what == "type":
        result = _result(state, record.event) if state else "its own result"
        return rejection.particulars[0][1], f"{name} {result}"
    differing = [(n, model_value(m), model_value(j)) for n, m, j in rejection.particulars]
    differing.sort(key=lambda d: COLUMN_BY_NAME[d[0]].code if d[0] in COLUMN_BY_NAME else -1)
    false = "; ".join(f"{n}' = {m} in the model, {j} in the journal" for n, m, j in differing)
    if rejection.what == "opening":
        return "the state a journal opens with is not one of Kernel's", "a journal of its own"
    nearest = ", ".join(f"{n} = {m}" for n, m, _ in differing)
    return false, f"the same {name} with {nearest}"


# AUD-006
def explain(
    rejection: Rejection, journal: str, record: EventRecord | None, state: State | None
) -> Explanation:
    """Return the explanation; ``record`` is the rejected one, ``state`` the claimed one before."""
    before = state_text(state) if state else "a state with a value that no state has"
    if record is None:
        return Explanation(
            journal, rejection.place.record, before, "the opening state",
            "Opening (KS!Init, SV!Init, PM!Init, GT!Init, and a ledger that stands by itself)",
            "the state that Kernel's Init gives",
        )  # fmt: skip
    false, nearest = _false_and_nearest(rejection, state, record)
    effects = _effect_words(str(record.effects))
    claimed = f"{event_text(record.event)} → {verdict_name(record.reason)}"
    if record.effects:
        claimed += f", effects {effects}"
    return Explanation(journal, rejection.place.record, before, claimed, false, nearest)
