"""Each invariant and each step property is broken alone, by each of the ways in which it can break.

Requirement-based, not random. A contract that production checks is code: each of its conditions is
shown to decide, and that takes states and steps that a right kernel never makes. A row changes one
sound state or step; the test compares the whole list of what then does not hold, so a row that
broke more than it names fails as well as one that broke nothing.

Not here: ranges and slots (``test_ranges_of_state.py``).
"""

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType

import pytest

from kernel import invariants, promises, slotrules
from kernel.constants import PPM, Pending, Permit, Posture, Profile, Status
from kernel.equity import drawdown, equity
from kernel.events import AdvanceTime, CloseBar, ConfirmPeakReset, Event, ReportFill, UpdateMark
from kernel.gate import capital, ceiling
from kernel.outcome import Accepted, Effects
from kernel.slotrules import claims_alone
from kernel.state import Slot, State, empty_slot
from kernel.survival import readings_in_range
from tests.kernel.sessions import BTC_LOT, claimed, confirm, fresh, holding, order, until

DERIVED = {"Inv", "TypeOK"}


def predicates_of(module: ModuleType) -> list[str]:
    """The models' names that a module defines."""
    own = [name for name, each in vars(module).items() if callable(each) and name[0].isupper()]
    return [name for name in own if getattr(module, name).__module__ == module.__name__]


INVARIANTS = predicates_of(invariants)
PROPERTIES = predicates_of(promises)
NONE = Effects(cancel_all_orders=False, flatten_positions=False, issue_permit=False)
CANCEL = dataclasses.replace(NONE, cancel_all_orders=True)
FLATTEN = dataclasses.replace(NONE, flatten_positions=True)
ISSUE = dataclasses.replace(NONE, issue_permit=True)
TICK = AdvanceTime(process_time_ms=1)
MARK = UpdateMark(instrument=1, price=1)
FILL = ReportFill(worker=0, quantity=1, price=1, fee=0)
RESET = ConfirmPeakReset(operator=1, reason=0)

Changes = Mapping[str, object]


@lru_cache
def held() -> State:
    """A healthy APEX state that is short ten lots in slot 0."""
    return holding(until(Posture.APEX))


@lru_cache
def open_claim() -> State:
    """A healthy APEX state with a claim in slot 0, flat."""
    return claimed(until(Posture.APEX))


def changed(state: State, changes: Changes) -> State:
    """The state with fields replaced: "group.field", or "slot.field" for slot 0."""
    for path, value in changes.items():
        group, name = path.split(".")
        if group == "slot":
            slot = dataclasses.replace(state.gate.slots[0], **{name: value})  # type: ignore[arg-type]  # by name
            group, name, value = "gate", "slots", (slot, *state.gate.slots[1:])
        part = dataclasses.replace(getattr(state, group), **{name: value})
        state = dataclasses.replace(state, **{group: part})
    return state


def broken_invariants(state: State) -> set[str]:
    """The names of the invariants that do not hold; ``Inv`` must say the same as all of them."""
    found = {n for n in INVARIANTS if n not in DERIVED and not getattr(invariants, n)(state)}
    assert invariants.Inv(state) == (not found)
    return found


def lossy(state: State, loss: int) -> Changes:
    """An unrealised loss that no slot has, with the drawdown that would follow from it."""
    ledger = dataclasses.replace(state.ledger, unrealised_pnl=-loss)
    return {
        "ledger.unrealised_pnl": -loss,
        "ledger.drawdown_ppm": drawdown(ledger.equity_peak, equity(ledger)),
        "survival.multiplier_ppm": 0,
    }


ENTRY: Changes = {
    "slot.permit_kind": Permit.ENTRY,
    "slot.permit_quantity": 5,
    "slot.permit_price": BTC_LOT,
    "gate.reserved_notional": 5 * BTC_LOT,
}
HIBERNATES: Changes = {"machine.posture": Posture.HIBERNATE, "survival.multiplier_ppm": 0}
KILLED: Changes = {
    "killswitch.killed": True,
    "killswitch.latched_operator": True,
    "survival.multiplier_ppm": 0,
}


@pytest.mark.req("KRN-STEP-006")
def test_the_sound_states_break_nothing() -> None:
    assert broken_invariants(held()) == set()
    assert broken_invariants(open_claim()) == set()
    assert broken_invariants(changed(open_claim(), ENTRY)) == set()


@pytest.mark.req("KRN-STEP-006", "KRN-KILL-011")
def test_killed_outside_hibernate_is_all_that_is_broken() -> None:
    assert broken_invariants(changed(held(), KILLED)) == {"KilledMeansHibernate"}


@pytest.mark.req("KRN-STEP-006", "KRN-LEDG-011")
def test_an_unrealised_loss_that_no_slot_has_is_seen() -> None:
    state = changed(held(), lossy(held(), 1_000_000))
    assert broken_invariants(state) == {"UnrealisedIsSumOfSlots"}


@pytest.mark.req("KRN-STEP-006", "KRN-FENCE-013")
def test_a_flatten_permit_above_hibernate_is_seen() -> None:
    out = {
        "slot.permit_kind": Permit.FLATTEN,
        "slot.permit_quantity": 10,
        "slot.permit_price": BTC_LOT,
    }
    assert broken_invariants(changed(held(), out)) == {"FlattenOnlyInHibernate"}
    asleep = {**out, "machine.posture": Posture.HIBERNATE, "survival.multiplier_ppm": 0}
    assert broken_invariants(changed(held(), asleep)) == set()


@pytest.mark.req("KRN-STEP-006", "KRN-FENCE-011", "KRN-FENCE-012")
def test_an_entry_permit_behind_the_fence_of_hibernate_is_seen() -> None:
    state = changed(open_claim(), {**ENTRY, "machine.posture": Posture.HIBERNATE})
    assert broken_invariants(state) == {"NoWorkerPermitInHibernate", "NoEntryBelowStalker"}


@pytest.mark.req("KRN-STEP-006", "KRN-FENCE-012")
def test_an_entry_permit_behind_the_fence_of_turtle_is_seen() -> None:
    turtle = {**ENTRY, "machine.posture": Posture.TURTLE}
    assert broken_invariants(changed(open_claim(), turtle)) == {"NoEntryBelowStalker"}
    unfenced = {**turtle, "gate.fence_confirmed": False}
    assert broken_invariants(changed(open_claim(), unfenced)) == set()


@pytest.mark.req("KRN-SURV-017", "KRN-SURV-019")
def test_two_impaired_sensors_halve_in_profile_bible_alone() -> None:
    impaired: Changes = {
        "survival.forewarner_status": Status.RED,
        "survival.depth_quality_ppm": 0,
        "survival.fill_probability_ppm": 0,
        "survival.multiplier_ppm": PPM,
    }
    assert not invariants.TwoImpairedSensorsHalve(changed(held(), impaired))
    other = changed(held(), {**impaired, "limits.profile": Profile.SPECIFICATION})
    assert invariants.TwoImpairedSensorsHalve(other)


@pytest.mark.req("KRN-SURV-006", "KRN-SURV-011")
def test_a_silent_book_counts_as_half_in_profile_bible_alone() -> None:
    silent: Changes = {"survival.book_age_ms": held().limits.book_stale_ms + 1}
    assert not invariants.SilentBookIsBad(changed(held(), silent))
    other = changed(held(), {**silent, "limits.profile": Profile.SPECIFICATION})
    assert invariants.SilentBookIsBad(other)
    halved = changed(held(), {**silent, "survival.multiplier_ppm": PPM // 2})
    assert invariants.SilentBookIsBad(halved)
    above = changed(held(), {**silent, "survival.multiplier_ppm": PPM // 2 + 1})
    assert not invariants.SilentBookIsBad(above)
    at_the_limit: Changes = {"survival.book_age_ms": held().limits.book_stale_ms}
    assert invariants.SilentBookIsBad(changed(held(), at_the_limit))


@pytest.mark.req("KRN-STEP-006", "KRN-KILL-009")
def test_a_journal_that_is_down_without_a_latch_is_seen() -> None:
    down: Changes = {**HIBERNATES, "killswitch.journal_writable": False}
    assert broken_invariants(changed(open_claim(), down)) == {"JournalDownMeansLatched"}
    latched: Changes = {**down, **KILLED, "killswitch.latched_checksum": True}
    assert broken_invariants(changed(open_claim(), latched)) == set()


OUT_OF_DOMAIN: list[Changes] = [
    {"survival.forewarner_age_ms": -1},
    {"survival.book_age_ms": -1},
    {"survival.shock_age_ms": -1},
    {"survival.depth_quality_ppm": -1},
    {"survival.depth_quality_ppm": PPM + 1},
    {"survival.fill_probability_ppm": -1},
    {"survival.fill_probability_ppm": PPM + 1},
    {"survival.book_latency_ms": -1},
    {"survival.book_jitter_ms": -1},
    {"ledger.drawdown_ppm": -1},
    {"ledger.drawdown_ppm": PPM + 1},
]


@pytest.mark.req("KRN-STEP-006", "KRN-STEP-013")
@pytest.mark.parametrize("changes", OUT_OF_DOMAIN, ids=str)
def test_where_the_curves_are_not_defined_no_promise_about_them_holds(changes: Changes) -> None:
    sound, state = held(), changed(held(), changes)
    assert readings_in_range(sound.survival, sound.ledger)
    assert not readings_in_range(state.survival, state.ledger)
    for name in ("MultiplierNeverAboveTarget", "TwoImpairedSensorsHalve", "SilentBookIsBad"):
        assert getattr(invariants, name)(sound)
        assert not getattr(invariants, name)(state)
    assert promises.FastAttack(sound, sound)
    assert not promises.FastAttack(sound, state)


SHORT = dataclasses.replace(empty_slot(), instrument=3, mark=100, quantity=-10, cost=-1_000)
LONG = dataclasses.replace(SHORT, quantity=10, cost=1_000)


@pytest.mark.req("KRN-GATE-027")
@pytest.mark.parametrize("kind", [Permit.EXIT, Permit.FLATTEN])
@pytest.mark.parametrize(
    ("slot", "lots", "expected"),
    [
        (LONG, -1, True), (LONG, -10, True), (LONG, -11, False), (LONG, 0, False),
        (LONG, 1, False), (LONG, 10, False),
        (SHORT, 1, True), (SHORT, 10, True), (SHORT, 11, False), (SHORT, 0, False),
        (SHORT, -1, False), (SHORT, -10, False),
    ],
)  # fmt: skip
def test_an_exit_reduces_from_either_side(
    kind: Permit, slot: Slot, lots: int, expected: bool
) -> None:
    permit = dataclasses.replace(slot, permit_kind=kind, permit_quantity=lots, permit_price=100)
    assert slotrules.reduces(permit) == expected


@pytest.mark.req("KRN-GATE-028")
@pytest.mark.parametrize(
    ("slot", "lots", "expected"),
    [
        (LONG, 5, True), (LONG, 0, True), (LONG, -5, False),
        (SHORT, -5, True), (SHORT, 0, True), (SHORT, 5, False),
    ],
)  # fmt: skip
def test_an_entry_agrees_with_either_side(slot: Slot, lots: int, expected: bool) -> None:
    permit = dataclasses.replace(slot, permit_kind=Permit.ENTRY, permit_quantity=lots)
    assert slotrules.entry_agrees(permit) == expected
    leaving = dataclasses.replace(permit, permit_kind=Permit.EXIT)
    assert slotrules.entry_agrees(leaving), "it speaks of entries alone"


@pytest.mark.req("KRN-FENCE-006")
def test_a_flatten_of_a_part_is_not_sound() -> None:
    out = dataclasses.replace(SHORT, permit_kind=Permit.FLATTEN, permit_price=100)
    assert slotrules.sound(dataclasses.replace(out, permit_quantity=10))
    assert not slotrules.sound(dataclasses.replace(out, permit_quantity=4))
    exit_of_a_part = dataclasses.replace(out, permit_kind=Permit.EXIT, permit_quantity=4)
    assert slotrules.sound(exit_of_a_part)


@pytest.mark.req("KRN-REARM-001", "KRN-STEP-006")
@pytest.mark.parametrize("latch", ["latched_checksum", "latched_desync", "latched_operator"])
def test_a_rearm_may_wait_for_each_latch_and_for_nothing_else(latch: str) -> None:
    asked: Changes = {"killswitch.operator_request": Pending.REARM}
    assert not invariants.RearmRequestMeansLatched(changed(held(), asked))
    latched = changed(held(), {**asked, f"killswitch.{latch}": True})
    assert invariants.RearmRequestMeansLatched(latched)


@pytest.mark.req("KRN-GATE-036")
def test_the_last_slot_has_no_later_slot_to_quarrel_with() -> None:
    slot = dataclasses.replace(open_claim().gate.slots[0], instrument=3)
    everywhere = (slot,) * 8
    assert [claims_alone(everywhere, worker) for worker in range(8)] == [False] * 7 + [True]


@pytest.mark.req("KRN-GATE-015")
def test_the_ceiling_of_each_posture() -> None:
    assert {posture.name: ceiling(posture) for posture in Posture} == {
        "HIBERNATE": 0,
        "TURTLE": 0,
        "STALKER": 2,
        "APEX": 6,
    }


# --- steps ---------------------------------------------------------------------------------------


def broken_properties(before: State, event: Event, after: State, effects: Effects) -> set[str]:
    """The names of the step properties that do not hold; the conjunction must agree.

    ``FastAttack`` stands in ``Inv`` of the state after, not in ``StepProperties``.
    """
    given = {"before": before, "event": event, "after": after, "effects": effects}
    found = set()
    for name in PROPERTIES:
        predicate = getattr(promises, name)
        wanted = predicate.__code__.co_varnames[: predicate.__code__.co_argcount]
        if not predicate(**{each: given[each] for each in wanted}):
            found.add(name)
    assert ("StepProperties" in found) == bool(found - {"StepProperties", "FastAttack"})
    return found - {"StepProperties"}


LATCHED: Changes = {
    **KILLED,
    "killswitch.operator_request": Pending.REARM,
    "killswitch.operator_request_age_ms": 10_000,
}
LATE: Changes = {**LATCHED, "killswitch.operator_request_age_ms": 600_001}
EARLY: Changes = {**LATCHED, "killswitch.operator_request_age_ms": 9_999}
NEXT_EPOCH: Changes = {"gate.fence_epoch": 99}
BAR = CloseBar(market_time_ms=1)

# What is changed before, the event, what is changed after, the effects, and what is then broken.
STEPS: list[tuple[Changes, Event, Changes, Effects, set[str]]] = [
    ({}, TICK, {}, NONE, set()),
    # SlowRecovery: a rise without a bar; a rise that the bar's length has not earned; none.
    ({"survival.multiplier_ppm": 0}, TICK, {"survival.multiplier_ppm": 1}, NONE, {"SlowRecovery"}),
    ({"survival.multiplier_ppm": 0}, BAR, {"survival.multiplier_ppm": 9}, NONE, {"SlowRecovery"}),
    ({"survival.multiplier_ppm": 9}, TICK, {"survival.multiplier_ppm": 0}, NONE, set()),
    # A bar that goes back in time has earned nothing.
    (
        {"survival.multiplier_ppm": 0, "clock.market_time_ms": 5}, BAR,
        {"survival.multiplier_ppm": 1, "clock.market_time_ms": 4}, NONE,
        {"SlowRecovery", "ClocksOnlyAdvance"},
    ),
    # FastAttack is Inv's.
    (
        {"survival.multiplier_ppm": PPM},
        TICK,
        {"survival.multiplier_ppm": PPM, "survival.depth_quality_ppm": 0},
        NONE,
        {"FastAttack"},
    ),
    # PromotionClimbsOne: without a bar; by two; as it should.
    (
        {"machine.posture": Posture.STALKER}, TICK, {"machine.posture": Posture.APEX}, NONE,
        {"PromotionClimbsOne"},
    ),
    (
        {"machine.posture": Posture.TURTLE}, BAR, {"machine.posture": Posture.APEX}, NONE,
        {"PromotionClimbsOne"},
    ),
    ({"machine.posture": Posture.STALKER}, BAR, {"machine.posture": Posture.APEX}, NONE, set()),
    # DemotionAdvancesFence: the fence stays; the fence moves and stays confirmed; as it should.
    ({}, BAR, {"machine.posture": Posture.TURTLE}, NONE, {"DemotionAdvancesFence"}),
    (
        {"gate.fence_epoch": 98}, BAR, {"machine.posture": Posture.TURTLE, **NEXT_EPOCH}, CANCEL,
        {"DemotionAdvancesFence"},
    ),
    (
        {"gate.fence_epoch": 98}, BAR,
        {"machine.posture": Posture.TURTLE, **NEXT_EPOCH, "gate.fence_confirmed": False}, CANCEL,
        set(),
    ),
    # EpochOnlyAdvances: back, by one, by two.
    ({"gate.fence_epoch": 100}, TICK, NEXT_EPOCH, CANCEL, {"EpochOnlyAdvances"}),
    ({"gate.fence_epoch": 98}, TICK, NEXT_EPOCH, CANCEL, set()),
    ({"gate.fence_epoch": 97}, TICK, NEXT_EPOCH, CANCEL, {"EpochOnlyAdvances"}),
    # RearmIsTwoStep: too early, too late, with the journal down; each latch; as it should.
    (LATCHED, TICK, {"killswitch.latched_operator": False}, NONE, set()),
    (EARLY, TICK, {"killswitch.latched_operator": False}, NONE, {"RearmIsTwoStep"}),
    (LATE, TICK, {"killswitch.latched_operator": False}, NONE, {"RearmIsTwoStep"}),
    (
        {**LATCHED, "killswitch.journal_writable": False}, TICK,
        {"killswitch.latched_operator": False}, NONE, {"RearmIsTwoStep"},
    ),
    (
        {**EARLY, "killswitch.latched_desync": True}, TICK,
        {"killswitch.latched_desync": False}, NONE, {"RearmIsTwoStep"},
    ),
    (
        {**EARLY, "killswitch.latched_checksum": True}, TICK,
        {"killswitch.latched_checksum": False}, NONE, {"RearmIsTwoStep"},
    ),
    # A latch that stays is not cleared, whatever the time.
    ({**EARLY, "killswitch.latched_desync": True}, TICK, {}, NONE, set()),
    ({**EARLY, "killswitch.latched_checksum": True}, TICK, {}, NONE, set()),
    # PeakResetOnlyFlat: by a mark; by a reset with a position out.
    ({"ledger.equity_peak": 10}, MARK, {"ledger.equity_peak": 9}, NONE, {"PeakResetOnlyFlat"}),
    ({"ledger.equity_peak": 10}, RESET, {"ledger.equity_peak": 9}, NONE, {"PeakResetOnlyFlat"}),
    # MarksNeverMoveCash: a mark moves cash; a fill may; nothing moves what was contributed.
    ({"ledger.cash": 10}, MARK, {"ledger.cash": 9}, NONE, {"MarksNeverMoveCash"}),
    ({"ledger.cash": 10}, FILL, {"ledger.cash": 9}, NONE, set()),
    ({"ledger.contributed": 1}, FILL, {"ledger.contributed": 2}, NONE, {"MarksNeverMoveCash"}),
    # ClocksOnlyAdvance: each clock back, and other limits.
    (
        {"clock.process_time_ms": 5}, TICK, {"clock.process_time_ms": 4}, NONE,
        {"ClocksOnlyAdvance"},
    ),
    ({"clock.market_time_ms": 5}, BAR, {"clock.market_time_ms": 4}, NONE, {"ClocksOnlyAdvance"}),
    ({}, TICK, {"limits.cooling_ms": 1}, NONE, {"ClocksOnlyAdvance"}),
    # FlattenWaitsForFence: above HIBERNATE; before the fence is confirmed; as it should.
    ({}, TICK, {}, FLATTEN, {"FlattenWaitsForFence"}),
    (
        HIBERNATES, TICK, {"gate.fence_confirmed": False}, FLATTEN, {"FlattenWaitsForFence"},
    ),
    (HIBERNATES, TICK, {}, FLATTEN, set()),
    # PermitWaitsForFence, EffectsFollowTheStep.
    ({}, order(), {}, ISSUE, set()),
    ({"gate.fence_confirmed": False}, order(), {}, ISSUE, {"PermitWaitsForFence"}),
    ({}, order(), {}, NONE, {"EffectsFollowTheStep"}),
    ({}, TICK, {}, ISSUE, {"EffectsFollowTheStep"}),
    ({}, TICK, {}, CANCEL, {"EffectsFollowTheStep"}),
    ({"gate.fence_epoch": 98}, TICK, NEXT_EPOCH, NONE, {"EffectsFollowTheStep"}),
]  # fmt: skip


@pytest.mark.req("KRN-STEP-005")
@pytest.mark.parametrize(
    ("first", "event", "then", "effects", "expected"),
    STEPS,
    ids=[f"{n}-{'+'.join(sorted(row[4])) or 'sound'}" for n, row in enumerate(STEPS)],
)
def test_a_step_breaks_exactly_what_it_breaks(
    first: Changes, event: Event, then: Changes, effects: Effects, expected: set[str]
) -> None:
    before = changed(held(), first)
    assert broken_properties(before, event, changed(before, then), effects) == expected


@pytest.mark.req("KRN-POST-013", "KRN-STEP-005")
@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ({}, set()),
        ({"gate.fence_confirmed": False}, {"LeaveHibernateOnlyFlat"}),
        ({"killswitch.killed": True}, {"LeaveHibernateOnlyFlat"}),
        ({"slot.quantity": 1}, {"LeaveHibernateOnlyFlat"}),
    ],
)
def test_hibernate_is_left_only_flat_fenced_and_not_killed(
    first: Changes, expected: set[str]
) -> None:
    before = changed(open_claim(), {**HIBERNATES, **first})
    after = changed(before, {"machine.posture": Posture.TURTLE})
    assert broken_properties(before, BAR, after, NONE) == expected


@pytest.mark.req("KRN-LEDG-013", "KRN-STEP-005")
def test_the_peak_may_fall_by_a_reset_when_flat() -> None:
    before = changed(open_claim(), {"ledger.equity_peak": 10})
    after = changed(before, {"ledger.equity_peak": 9})
    assert broken_properties(before, RESET, after, NONE) == set()


@pytest.mark.req("KRN-GATE-017", "KRN-STEP-005")
def test_no_accepted_entry_ends_above_the_ceiling() -> None:
    before = open_claim()
    most = capital(before.ledger) * 6
    permit: Changes = {**ENTRY, "gate.reserved_notional": most}
    assert broken_properties(before, order(), changed(before, permit), ISSUE) == set()
    above = changed(before, {**permit, "gate.open_notional": 1})
    assert broken_properties(before, order(), above, ISSUE) == {"ExposureWithinCeiling"}
    leaving = changed(above, {"slot.permit_kind": Permit.EXIT})
    assert broken_properties(before, order(reduce_only=True), leaving, ISSUE) == set()
    nobody = order(worker=8)
    assert broken_properties(before, nobody, before, ISSUE) == {"ExposureWithinCeiling"}


@pytest.mark.req("KRN-STEP-004", "KRN-STEP-005")
def test_an_outcome_is_judged_by_both() -> None:
    state = held()
    assert promises.outcome_keeps_promises(state, TICK, Accepted(state, NONE))
    unsound = changed(state, {"ledger.drawdown_ppm": 1})
    assert not promises.outcome_keeps_promises(state, TICK, Accepted(unsound, NONE))
    assert not promises.outcome_keeps_promises(state, TICK, Accepted(state, CANCEL))


@pytest.mark.req("KRN-INIT-001")
def test_the_states_that_open_a_session_break_nothing() -> None:
    for profile in Profile:
        assert broken_invariants(fresh(profile)) == set()
        assert broken_invariants(confirm(fresh(profile))) == set()
