"""``step`` as a whole: random walks under every contract, determinism, ``python -O``."""

import dataclasses
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import icontract
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel import invariants, promises
from kernel.constants import Posture, Profile, Status
from kernel.contracts import PARTS_CHECKED
from kernel.events import AdvanceTime, CloseBar, Event, UpdateMark
from kernel.outcome import Accepted, Effects, Refused
from kernel.state import State
from kernel.step import step, step_bare
from kernel.survival import target
from tests.kernel.sessions import accept, fresh, holding, random_events, until

ROOT = Path(__file__).parents[2]


@pytest.mark.req("KRN-STEP-002", "KRN-STEP-004", "KRN-STEP-005")
@pytest.mark.random
@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("seed", range(8))
def test_random_walks_keep_every_promise(profile: Profile, seed: int) -> None:
    """Contracts raise on the first broken promise; the seed is in the test's name."""
    start = fresh(profile) if seed % 2 else until(Posture.APEX, profile=profile)
    accepted = sum(
        isinstance(outcome, Accepted) for _, _, outcome in random_events(seed, 2_000, start)
    )
    assert accepted > 500


@pytest.mark.req("KRN-STEP-002", "KRN-STEP-004", "KRN-STEP-005")
@pytest.mark.random
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(Profile))
def test_hypothesis_walks(seed: int, profile: Profile) -> None:
    for _ in random_events(seed, 120, until(Posture.STALKER, profile=profile)):
        pass


@pytest.mark.req("KRN-STEP-003")
@pytest.mark.random
def test_the_same_history_gives_the_same_state() -> None:
    first = [outcome for _, _, outcome in random_events(5, 500, fresh())]
    again = [outcome for _, _, outcome in random_events(5, 500, fresh())]
    other = [outcome for _, _, outcome in random_events(6, 500, fresh())]
    assert first == again
    assert first != other


@pytest.mark.req("KRN-STEP-010")
@pytest.mark.random
def test_step_and_step_bare_answer_alike() -> None:
    for state, event, outcome in random_events(11, 1_000, until(Posture.APEX)):
        assert step_bare(state, event) == outcome


@pytest.mark.req("KRN-STEP-001")
@pytest.mark.random
def test_a_refusal_leaves_the_state_untouched() -> None:
    for state, event, outcome in random_events(12, 1_000, until(Posture.APEX)):
        before = dataclasses.astuple(state)
        if isinstance(outcome, Refused):
            assert dataclasses.astuple(state) == before
            assert step(state, event) == outcome


@pytest.mark.req("KRN-STEP-011", "KRN-TIME-008")
def test_ticks_fold() -> None:
    """Two ticks that trip nothing are one tick: what the journal's coalescing relies on."""
    state = until(Posture.APEX)
    twice = accept(accept(state, AdvanceTime(process_time_ms=3)), AdvanceTime(process_time_ms=9))
    assert twice == accept(state, AdvanceTime(process_time_ms=9))


def test_the_parts_contracts_are_on_in_tests() -> None:
    assert PARTS_CHECKED, "run the tests with ICONTRACT_SLOW=1, as tests/conftest.py sets it"


def spoiled(state: State) -> State:
    """A state that no history leads to."""
    return dataclasses.replace(state, ledger=dataclasses.replace(state.ledger, cash=7))


@pytest.mark.req("KRN-STEP-008")
def test_a_state_that_breaks_an_invariant_is_not_stepped() -> None:
    with pytest.raises(icontract.ViolationError):
        step(spoiled(fresh()), AdvanceTime(process_time_ms=1))


@pytest.mark.req("KRN-STEP-007")
def test_the_contract_of_step_is_on_under_dash_o() -> None:
    """icontract's default would vanish there."""
    code = (
        "import dataclasses, icontract\n"
        "from tests.kernel.test_step import spoiled, fresh, step, AdvanceTime\n"
        "assert False, 'python -O drops this line'\n"
        "try:\n"
        "    step(spoiled(fresh()), AdvanceTime(process_time_ms=1))\n"
        "except icontract.ViolationError:\n"
        "    print('violated')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-O", "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip() == "violated", ran.stderr


# One broken state for each invariant: a predicate that cannot be false guards nothing.


@lru_cache
def held() -> State:
    """A healthy APEX state holding ten lots."""
    return holding(until(Posture.APEX))


def broken(group: str, **changes: object) -> State:
    """A healthy APEX state holding ten lots, with some fields of a group replaced."""
    state = held()
    part = dataclasses.replace(getattr(state, group), **changes)
    return dataclasses.replace(state, **{group: part})


def broken_slot(worker: int, **changes: object) -> State:
    """The same with fields of one slot replaced."""
    state = held()
    slots = list(state.gate.slots)
    slots[worker] = dataclasses.replace(slots[worker], **changes)  # type: ignore[arg-type]  # by name
    return dataclasses.replace(state, gate=dataclasses.replace(state.gate, slots=tuple(slots)))


BROKEN = {
    "TypeOK": lambda: broken("survival", depth_quality_ppm=-1),
    "KilledIffCause": lambda: broken("killswitch", killed=True),
    "KilledMeansHibernate": lambda: broken("killswitch", killed=True),
    "JournalDownMeansHibernate": lambda: broken("killswitch", journal_writable=False),
    "JournalDownMeansLatched": lambda: broken("killswitch", journal_writable=False),
    "FlattenIsWhole": lambda: broken_slot(0, permit_kind=3, permit_quantity=-9),
    "UnclaimedHasNoMark": lambda: broken_slot(3, mark=1),
    "RearmRequestMeansLatched": lambda: broken("killswitch", operator_request=1),
    "MultiplierNeverAboveTarget": lambda: broken("survival", multiplier_ppm=999_999),
    "TwoImpairedSensorsHalve": lambda: broken(
        "survival", forewarner_status=Status.RED, depth_quality_ppm=0
    ),
    "SilentBookIsBad": lambda: broken("survival", book_age_ms=600_001),
    "CountersWithinHysteresis": lambda: broken("machine", bars_above=5),
    "AccountsSumToZero": lambda: broken("ledger", cash=1),
    "PeakAtLeastEquity": lambda: broken("ledger", equity_peak=1),
    "DrawdownIsExact": lambda: broken("ledger", drawdown_ppm=1),
    "UnrealisedIsSumOfSlots": lambda: broken("ledger", unrealised_pnl=1),
    "OpenIsSumOfPositions": lambda: broken("gate", open_notional=1),
    "ReservedIsSumOfPermits": lambda: broken("gate", reserved_notional=1),
    "OneWorkerPerInstrument": lambda: broken_slot(3, instrument=1),
    "FlatPositionHasNoCost": lambda: broken_slot(3, cost=1),
    "PositionNeedsClaim": lambda: broken_slot(0, mark=0),
    "NoPermitFlips": lambda: broken_slot(0, permit_kind=2, permit_quantity=11, permit_price=1),
    "EntryNeverOpposesPosition": lambda: broken_slot(0, permit_kind=1, permit_quantity=1),
    "PermitSlotIsConsistent": lambda: broken_slot(0, permit_price=1),
    "FlattenOnlyInHibernate": lambda: broken_slot(0, permit_kind=3),  # posture is APEX
    "HibernateFlattens": lambda: broken("machine", posture=Posture.HIBERNATE),
    "NoWorkerPermitInHibernate": lambda: dataclasses.replace(
        broken_slot(0, permit_kind=2), machine=broken("machine", posture=Posture.HIBERNATE).machine
    ),
    "NoEntryBelowStalker": lambda: dataclasses.replace(
        broken_slot(0, permit_kind=1), machine=broken("machine", posture=Posture.TURTLE).machine
    ),
}


@pytest.mark.req("KRN-STEP-006")
def test_every_invariant_has_a_state_that_breaks_it() -> None:
    names = {n for n, f in vars(invariants).items() if callable(f) and n[0].isupper()}
    imported = {"Inv", "Pending", "Posture", "Profile", "Rule", "Share", "State"}
    assert names - imported == set(BROKEN)


@pytest.mark.req("KRN-STEP-006")
@pytest.mark.parametrize("name", BROKEN)
def test_invariant_can_be_false(name: str) -> None:
    state = BROKEN[name]()
    predicate = getattr(invariants, name)
    assert predicate(held())
    assert not predicate(state)
    assert not invariants.Inv(state)


def pair(**changes: dict[str, object]) -> tuple[State, State]:
    """A state and its neighbour with some fields of some groups replaced."""
    before = held()
    after = before
    for group, fields in changes.items():
        part = dataclasses.replace(getattr(after, group), **fields)
        after = dataclasses.replace(after, **{group: part})
    return before, after


TICK = AdvanceTime(process_time_ms=1)
MARK = UpdateMark(instrument=1, price=1)


@pytest.mark.req("KRN-STEP-005")
@pytest.mark.parametrize(
    ("name", "event", "changes"),
    [
        ("FastAttack", TICK, {"survival": {"multiplier_ppm": 999_999}}),
        ("SlowRecovery", TICK, {"survival": {"multiplier_ppm": 999_999}}),
        (
            "SlowRecovery",
            CloseBar(market_time_ms=1),
            {"survival": {"multiplier_ppm": 999_999}},
        ),
        ("DemotionAdvancesFence", TICK, {"machine": {"posture": Posture.TURTLE}}),
        ("EpochOnlyAdvances", TICK, {"gate": {"fence_epoch": 99}}),
        ("MarksNeverMoveCash", MARK, {"ledger": {"cash": 1}}),
        ("PeakResetOnlyFlat", MARK, {"ledger": {"equity_peak": 1}}),
        ("ClocksOnlyAdvance", TICK, {"clock": {"market_time_ms": 0}}),
    ],
)
def test_step_property_can_be_false(
    name: str, event: Event, changes: dict[str, dict[str, object]]
) -> None:
    before, after = pair(**changes)
    none = Effects(False, False, False)
    assert promises.StepProperties(before, TICK, before, none)
    keeps = promises.outcome_keeps_promises(before, event, Accepted(after, none))
    assert not keeps
    arguments = {"before": before, "event": event, "after": after, "effects": none}
    predicate = getattr(promises, name)
    wanted = predicate.__code__.co_varnames[: predicate.__code__.co_argcount]
    assert not predicate(**{k: arguments[k] for k in wanted})


@pytest.mark.req("KRN-STEP-005")
def test_promotions_rearms_and_flattens_are_judged() -> None:
    apex = holding(until(Posture.APEX))
    low = dataclasses.replace(
        apex, machine=dataclasses.replace(apex.machine, posture=Posture.HIBERNATE)
    )
    assert not promises.PromotionClimbsOne(low, CloseBar(market_time_ms=1), apex)
    assert not promises.LeaveHibernateOnlyFlat(low, apex)
    latched = dataclasses.replace(
        apex, killswitch=dataclasses.replace(apex.killswitch, latched_operator=True)
    )
    assert not promises.RearmIsTwoStep(latched, apex)
    flatten = Effects(False, True, False)
    assert not promises.FlattenWaitsForFence(apex, flatten)
    unfenced = dataclasses.replace(apex, gate=dataclasses.replace(apex.gate, fence_confirmed=False))
    assert not promises.PermitWaitsForFence(unfenced, Effects(False, False, True))
    cancel = Effects(True, False, False)
    assert not promises.EffectsFollowTheStep(apex, TICK, apex, cancel)


@pytest.mark.req("KRN-STEP-006")
@pytest.mark.random
def test_inv_is_the_conjunction_of_the_named_invariants() -> None:
    """``Inv`` asks the slots' rules in one walk; it must not have lost one on the way."""
    named = [getattr(invariants, name) for name in BROKEN]
    for state, _, _ in random_events(21, 400, until(Posture.APEX)):
        assert invariants.Inv(state)
        assert all(predicate(state) for predicate in named)


@pytest.mark.req("KRN-SURV-006", "KRN-SURV-017", "KRN-SURV-031")
@pytest.mark.random
@settings(max_examples=300, deadline=None)
@given(
    status=st.sampled_from(Status),
    forewarner_s=st.integers(0, 100_000),
    shock_s=st.integers(0, 100_000),
    book_s=st.integers(0, 2_000),
    depth=st.integers(0, 10**6),
    fill=st.integers(0, 10**6),
)
def test_the_two_halvings_follow_from_the_target(
    status: Status, forewarner_s: int, shock_s: int, book_s: int, depth: int, fill: int
) -> None:
    """Whatever the sensors say: at most at the target, and both hold."""
    state = broken(
        "survival",
        forewarner_status=status,
        forewarner_age_ms=forewarner_s * 1_000,
        shock_age_ms=shock_s * 1_000,
        book_age_ms=book_s * 1_000,
        depth_quality_ppm=depth,
        fill_probability_ppm=fill,
    )
    part = dataclasses.replace(state.survival, multiplier_ppm=target(state))
    state = dataclasses.replace(state, survival=part)
    assert invariants.MultiplierNeverAboveTarget(state)
    assert invariants.TwoImpairedSensorsHalve(state)
    assert invariants.SilentBookIsBad(state)
