"""The contract of each handler forbids every other answer: no field of an outcome can be moved.

Requirement-based, not random: named states of both profiles meet every kind of event. Of what the
handlers and the functions below them answered, one value at a time is moved (a number by one, a
flag, a member of an enumeration, a reason, an effect, the refusal itself), and the contract of the
function that gave the answer must reject each. So a contract that says less than the whole effect
fails here by the name of the field; it is what keeps mutants from living behind a proof.

Not here: whether the contract holds of right answers (every test with the parts' contracts on).
"""

import dataclasses
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import lru_cache
from types import FrameType
from typing import Any

import pytest

import kernel
from kernel import step as step_module
from kernel.constants import PPM, Posture, Profile
from kernel.events import (
    AdvanceTime,
    ClaimInstrument,
    CloseBar,
    CloseOrder,
    ConfirmFence,
    ConfirmPeakReset,
    ConfirmRearm,
    Event,
    FailJournal,
    ReconcileLedger,
    RecordHeartbeat,
    ReportBook,
    ReportFill,
    ReportForewarner,
    ReportGrid,
    ReportShock,
    RequestPeakReset,
    RequestRearm,
    RestartKernel,
    RestoreJournal,
    TripKillSwitch,
    UpdateMark,
)
from kernel.outcome import Accepted, Outcome, Reason, Refused, no_effects
from kernel.slots import quantities
from kernel.state import State
from kernel.step import step_bare
from tests.kernel.sessions import (
    BTC_LOT,
    HEALTHY_BOOK,
    accept,
    bar,
    claimed,
    confirm,
    drive,
    fresh,
    holding,
    order,
    until,
)

CALLS_MAX = 3
ACT = {"operator": 1, "reason": 7}


def climbing(state: State) -> State:
    """The state one bar before it climbs."""
    while state.machine.bars_above < 4 and state.limits.profile == Profile.BIBLE:
        state = bar(state)
    return drive(state, (ReportForewarner(status=0), HEALTHY_BOOK))


def other_books(state: State) -> list[Event]:
    """Execution's view, wrong in the position of one worker: of each in turn."""
    own = quantities(state.gate)
    held = [(*own[:worker], own[worker] + 1, *own[worker + 1 :]) for worker in range(len(own))]
    return [ReconcileLedger(cash=state.ledger.cash, quantities=each) for each in held]


def states(profile: Profile) -> dict[str, State]:
    """Named states that a session reaches."""
    apex = until(Posture.APEX, profile=profile)
    held = holding(apex)
    asked = accept(claimed(apex), order())
    exiting = accept(held, order(side=1, reduce_only=True, market=False, limit_price=BTC_LOT))
    killed = accept(held, TripKillSwitch(cause=2, **ACT))
    cooled = AdvanceTime(process_time_ms=apex.clock.process_time_ms + 10_000)
    rearming = drive(killed, (RequestRearm(**ACT), cooled))
    resetting = drive(claimed(apex), (RequestPeakReset(**ACT), cooled))
    return {
        "fresh": fresh(profile),
        "grid": fresh(profile, grid_in_use=True),
        "confirmed": confirm(fresh(profile)),
        "claimed": claimed(apex),
        "held": held,
        "asked": asked,
        "exiting": exiting,
        "killed": killed,
        "flattening": confirm(killed),
        "rearming": rearming,
        "resetting": resetting,
        "unwritable": accept(held, FailJournal()),
        "turtle": claimed(until(Posture.TURTLE, profile=profile)),
        "climbing": climbing(until(Posture.TURTLE, profile=profile)),
        "falling": bar(accept(held, ReportForewarner(status=2)), healthy=False),
    }


def events(state: State) -> list[Event]:
    """Every kind of event, the likely ones in several forms."""
    now, market = state.clock.process_time_ms, state.clock.market_time_ms
    return [
        AdvanceTime(process_time_ms=now + 1),
        AdvanceTime(process_time_ms=now + 30_001),
        AdvanceTime(process_time_ms=now - 1),
        CloseBar(market_time_ms=market + 60_000),
        CloseBar(market_time_ms=market + 300_000),
        CloseBar(market_time_ms=market + 1),
        RecordHeartbeat(partition=2),
        ReportGrid(members=1),
        ReportGrid(members=0),
        ReportForewarner(status=1),
        ReportForewarner(status=2),
        HEALTHY_BOOK,
        ReportBook(depth_quality_ppm=1, fill_probability_ppm=2, latency_ms=900, jitter_ms=300),
        ReportShock(),
        UpdateMark(instrument=1, price=BTC_LOT + 1),
        UpdateMark(instrument=9, price=BTC_LOT),
        ClaimInstrument(worker=0, instrument=2),
        ClaimInstrument(worker=1, instrument=1),
        ClaimInstrument(worker=1, instrument=3),
        order(),
        order(side=1, reduce_only=True),
        order(worker=3, instrument=3),
        order(leverage_ppm=7 * PPM),
        order(quantity=1_000),
        order(quantity=290),
        order(market=False, limit_price=BTC_LOT + 5),
        order(side=1, reduce_only=True, quantity=11),
        order(side=-1, reduce_only=True),
        ReportFill(worker=0, quantity=10, price=BTC_LOT + 7, fee=5),
        ReportFill(worker=0, quantity=4, price=BTC_LOT - 7, fee=5),
        ReportFill(worker=5, quantity=1, price=BTC_LOT, fee=0),
        CloseOrder(worker=0),
        ConfirmFence(epoch=state.gate.fence_epoch),
        ReconcileLedger(cash=state.ledger.cash, quantities=quantities(state.gate)),
        ReconcileLedger(cash=state.ledger.cash + 1, quantities=quantities(state.gate)),
        *other_books(state),
        TripKillSwitch(cause=1, **ACT),
        TripKillSwitch(cause=3, **ACT),
        RequestRearm(**ACT),
        ConfirmRearm(**ACT),
        RequestPeakReset(**ACT),
        ConfirmPeakReset(**ACT),
        FailJournal(),
        RestoreJournal(),
        RestartKernel(),
    ]


# --- what was called -----------------------------------------------------------------------------


def contracted() -> dict[str, Callable[..., Any]]:
    """Every function of the kernel with a postcondition of its own, by its full name."""
    found = {}
    for info in pkgutil.walk_packages(kernel.__path__, "kernel."):
        for name, each in vars(importlib.import_module(info.name)).items():
            conditions = getattr(each, "__postconditions__", None)
            if conditions and each.__module__ == info.name and "lemmas" not in info.name:
                found[f"{info.name}.{name}"] = each
    return found


Call = tuple[dict[str, Any], Any]
Condition = tuple[Callable[..., object], tuple[str, ...]]


def shape(result: object) -> object:
    """What tells calls apart: the kind of the answer."""
    if isinstance(result, Refused):
        return result.reason
    if isinstance(result, Accepted):
        return result.effects
    small = isinstance(result, int) and abs(result) < 100
    return result if small else type(result)


@lru_cache
def calls() -> dict[str, list[Call]]:
    """Some calls of each contracted function, made by the table of states and events."""
    functions = contracted()
    by_code = {each.__wrapped__.__code__: name for name, each in functions.items()}  # type: ignore[attr-defined]  # icontract's
    found: dict[str, dict[object, list[Call]]] = {name: {} for name in functions}
    arguments: dict[FrameType, dict[str, Any]] = {}

    def watch(frame: FrameType, event: str, value: Any) -> None:
        name = by_code.get(frame.f_code)
        if name is None:
            return
        if event == "call":
            arguments[frame] = dict(frame.f_locals)
        elif event == "return" and frame in arguments:
            given = arguments.pop(frame)
            kept = found[name].setdefault(shape(value), [])
            if len(kept) < CALLS_MAX and (given, value) not in kept:
                kept.append((given, value))

    table = [
        (state, event)
        for profile in Profile
        for state in states(profile).values()
        for event in events(state)
    ]
    sys.setprofile(watch)
    try:
        for state, event in table:
            step_bare(state, event)
    finally:
        sys.setprofile(None)
    return {name: [one for kept in by.values() for one in kept] for name, by in found.items()}


# --- what it might have answered instead ---------------------------------------------------------


def others(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the value with one thing moved, and what was moved."""
    if isinstance(value, bool):
        yield "", not value
    elif isinstance(value, IntEnum):
        yield from (("", other) for other in type(value) if other != value)
    elif isinstance(value, int):
        yield from (("", value + delta) for delta in (1, -1))
    elif isinstance(value, tuple):
        for index, member in enumerate(value):
            for where, other in others(member):
                yield f".{index}{where}", (*value[:index], other, *value[index + 1 :])
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            for where, other in others(getattr(value, field.name)):
                yield f".{field.name}{where}", dataclasses.replace(value, **{field.name: other})  # type: ignore[type-var]  # a value


def instead(given: dict[str, Any], result: Any) -> Iterator[tuple[str, Any]]:
    """Yield every other answer; a refusal may also have been an acceptance, and the other way."""
    yield from others(result)
    if isinstance(result, Refused) and "state" in given:
        yield " accepted", Accepted(state=given["state"], effects=no_effects())
    if isinstance(result, Accepted):
        yield from ((" refused", Refused(reason=reason)) for reason in Reason)


def conditions_of(name: str) -> list[Condition]:
    """The postconditions of a contracted function: each with the names that it asks for."""
    contracts: Any = contracted()[name]
    return [(one.condition, tuple(one.condition_args)) for one in contracts.__postconditions__]


def rejected(conditions: list[Condition], given: dict[str, Any], result: Any) -> bool:
    """Whether a postcondition forbids the answer; one that cannot be evaluated forbids it too."""
    values = {**given, "result": result}
    for condition, names in conditions:
        try:
            if not condition(**{name: values[name] for name in names}):
                return True
        except Exception:  # noqa: BLE001  (an answer of no sense at all)
            return True
    return False


# Contracts that bound a value and do not say it: the values are the formulas' own, products and
# curves. They are compared with the formulas, the curves on every input (test_curves.py).
BOUNDED = {
    *(f"kernel.curves.{name}" for name in (
        "structural_decay_bible", "structural_decay_specification", "environment_bible",
        "environment_specification", "capital", "micro_bible", "latency_specification",
        "jitter_specification", "depth_specification",
    )),
    *(f"kernel.fixed.{name}" for name in (
        "product", "product_of_three", "exp_down", "exp_up", "decade_down",
    )),
    *(f"kernel.survival.{name}" for name in (
        "structural", "microstructure", "environment", "capital_stress", "target", "recovery_step",
    )),
    *(f"kernel.factors.{name}" for name in (
        "mul", "status_factor", "structural_factor", "book_specification", "book_bible",
        "environment_factor", "combined",
    )),
    "kernel.equity.drawdown", "kernel.notional.notional", "kernel.notional.worth",
    "kernel.notional.leveraged", "kernel.posture.effective",
}  # fmt: skip
# The table goes through ``step_bare``: these two are asked by ``step``'s own contract.
ELSEWHERE = {"kernel.step.step", "kernel.invariants.Inv"}
EXACT = sorted(contracted().keys() - BOUNDED - ELSEWHERE)
HANDLERS = [
    name
    for name in EXACT
    if contracted()[name].__annotations__.get("return") in (Outcome, Accepted, Refused)
]


def survivors(name: str, conditions: list[Condition]) -> set[str]:
    """What of a handler's answers can be moved without these conditions seeing it."""
    lived = set()
    for given, result in calls()[name]:
        assert not rejected(conditions, given, result), "the right answer"
        for where, other in instead(given, result):
            if not rejected(conditions, given, other):
                lived.add(f"{shape(result)}{where}")
    return lived


@pytest.mark.req("KRN-STEP-014")
@pytest.mark.parametrize("name", EXACT)
def test_no_part_of_an_answer_can_be_moved(name: str) -> None:
    assert calls()[name], "the table never calls it"
    assert survivors(name, conditions_of(name)) == set()


@pytest.mark.req("KRN-STEP-014")
def test_the_contract_of_every_handler_is_exact() -> None:
    answering = {
        f"{each.__module__}.{name}"
        for name, each in vars(step_module).items()
        if inspect.isfunction(each)
        and each.__annotations__.get("return") in (Outcome, Accepted, Refused)
        and each.__module__ != step_module.__name__
    }
    assert {name for name in answering if "answers" not in name} <= set(HANDLERS)


@pytest.mark.parametrize("name", sorted(BOUNDED))
def test_control_a_contract_that_bounds_lets_a_neighbour_live(name: str) -> None:
    assert survivors(name, conditions_of(name)) != set(), "it is exact now: take it off the list"


def test_control_a_contract_that_says_less_lets_it_live() -> None:
    def beaten(state: State, event: RecordHeartbeat, result: Outcome) -> bool:
        assert isinstance(result, Accepted)
        return result.state.killswitch.heartbeat_age_ms[event.partition] == 0

    says_less: list[Condition] = [(beaten, ("state", "event", "result"))]
    lived = survivors("kernel.killswitch.record_heartbeat", says_less)
    whole = {f"{shape(result)}" for _, result in calls()["kernel.killswitch.record_heartbeat"]}
    assert {f"{answer}.state.ledger.cash" for answer in whole} <= lived
    assert {f"{answer}.state.killswitch.heartbeat_age_ms.1" for answer in whole} <= lived
    assert not any(where.endswith("heartbeat_age_ms.2") for where in lived)
    assert not any(where.endswith("refused") for where in lived)
