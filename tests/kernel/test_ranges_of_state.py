"""Each range, each slot and each conjunct of the invariants can be broken alone.

Requirement-based and exhaustive over conjuncts, not random: this is what shows every condition of
the contract's predicates deciding (docs/STYLE.md; `python -m verify.mcdc`).
"""

import dataclasses
from functools import lru_cache

import pytest

from kernel import invariants, slotrules
from kernel.constants import (
    AGE_MS_MAX,
    GRID_MEMBERS_MAX,
    INSTRUMENT_MAX,
    LATENCY_MS_MAX,
    PPM,
    PRICE_MAX,
    QUANTITY_MAX,
    Pending,
    Permit,
    Posture,
)
from kernel.events import ClaimInstrument
from kernel.slotrules import Rule
from kernel.slots import flat, owner_of
from kernel.state import Slot, State, empty_slot
from tests.kernel.sessions import claimed, confirm, drive, holding, until


@lru_cache
def held() -> State:
    """A healthy APEX state holding ten lots in slot 0."""
    return holding(until(Posture.APEX))


def with_group(state: State, group: str, **changes: object) -> State:
    part = dataclasses.replace(getattr(state, group), **changes)
    return dataclasses.replace(state, **{group: part})


def with_slots(state: State, slots: dict[int, Slot]) -> State:
    all_slots = tuple(slots.get(w, s) for w, s in enumerate(state.gate.slots))
    return with_group(state, "gate", slots=all_slots)


def ages(index: int, value: int) -> tuple[int, ...]:
    return tuple(value if i == index else 0 for i in range(4))


OUT_OF_RANGE: list[tuple[str, dict[str, object]]] = [
    ("clock", {"process_time_ms": -1}),
    ("clock", {"market_time_ms": -1}),
    *[
        ("killswitch", {"heartbeat_age_ms": ages(p, v)})
        for p in range(4)
        for v in (-1, AGE_MS_MAX + 1)
    ],
    ("killswitch", {"grid_members": -1}),
    ("killswitch", {"grid_members": GRID_MEMBERS_MAX + 1}),
    ("killswitch", {"operator_request": Pending.PEAK_RESET, "operator_request_age_ms": -1}),
    ("killswitch", {"operator_request_age_ms": 1}),
    *[
        ("survival", {name: v})
        for name, top in (
            ("forewarner_age_ms", AGE_MS_MAX),
            ("book_age_ms", AGE_MS_MAX),
            ("shock_age_ms", AGE_MS_MAX),
            ("depth_quality_ppm", PPM),
            ("fill_probability_ppm", PPM),
            ("book_latency_ms", LATENCY_MS_MAX),
            ("book_jitter_ms", LATENCY_MS_MAX),
        )
        for v in (-1, top + 1)
    ],
    ("gate", {"fence_epoch": -1}),
]


@pytest.mark.req("KRN-STEP-013")
@pytest.mark.parametrize(("group", "changes"), OUT_OF_RANGE, ids=str)
def test_each_scalar_out_of_its_range_breaks_type_ok(
    group: str, changes: dict[str, object]
) -> None:
    state = with_group(held(), group, **changes)
    assert not invariants.scalars_in_range(state)
    assert not invariants.TypeOK(state)
    assert not invariants.Inv(state)


@pytest.mark.req("KRN-STEP-013")
def test_a_pending_request_may_have_an_age() -> None:
    state = with_group(
        held(),
        "killswitch",
        operator_request=Pending.PEAK_RESET,
        operator_request_age_ms=1,
    )
    assert invariants.TypeOK(state)
    assert invariants.RearmRequestMeansLatched(state)


@pytest.mark.req("KRN-STEP-013")
def test_a_slot_out_of_range_breaks_type_ok() -> None:
    state = with_slots(held(), {0: dataclasses.replace(held().gate.slots[0], mark=PRICE_MAX + 1)})
    assert invariants.scalars_in_range(state)
    assert not invariants.TypeOK(state)


GOOD = Slot(
    instrument=3,
    mark=100,
    quantity=-10,
    cost=-1_000,
    permit_kind=Permit.EXIT,
    permit_quantity=4,
    permit_price=100,
)
IDLE = Slot(
    instrument=3,
    mark=100,
    quantity=0,
    cost=0,
    permit_kind=Permit.NONE,
    permit_quantity=0,
    permit_price=0,
)


@pytest.mark.req("KRN-STEP-013")
@pytest.mark.parametrize(
    "changes",
    [
        {"instrument": INSTRUMENT_MAX + 1},
        {"instrument": -1},
        {"mark": PRICE_MAX + 1},
        {"quantity": QUANTITY_MAX + 1},
        {"permit_quantity": QUANTITY_MAX + 1},
        {"permit_price": PRICE_MAX + 1},
        {"quantity": QUANTITY_MAX, "permit_quantity": 1},
    ],
    ids=str,
)
def test_each_field_of_a_slot_out_of_range(changes: dict[str, int]) -> None:
    assert slotrules.slot_in_range(GOOD)
    slot = dataclasses.replace(GOOD, **changes)  # type: ignore[arg-type]  # ints by name
    assert not slotrules.slot_in_range(slot)
    assert not slotrules.sound(slot)


@pytest.mark.req(
    "KRN-GATE-027",
    "KRN-GATE-028",
    "KRN-GATE-029",
    "KRN-GATE-030",
    "KRN-FENCE-011",
    "KRN-FENCE-012",
    "KRN-FENCE-013",
)
@pytest.mark.parametrize(
    ("rule", "slot"),
    [
        (Rule.FLAT_HAS_NO_COST, dataclasses.replace(IDLE, cost=1)),
        (Rule.NEEDS_CLAIM, dataclasses.replace(GOOD, mark=0)),
        (Rule.NEEDS_CLAIM, dataclasses.replace(GOOD, instrument=0)),
        (
            Rule.NEEDS_CLAIM,
            dataclasses.replace(
                IDLE, mark=0, permit_kind=Permit.ENTRY, permit_quantity=1, permit_price=1
            ),
        ),
        (Rule.REDUCES, dataclasses.replace(GOOD, permit_quantity=-4)),
        (Rule.REDUCES, dataclasses.replace(GOOD, permit_quantity=11)),
        (Rule.REDUCES, dataclasses.replace(GOOD, permit_kind=Permit.FLATTEN, permit_quantity=11)),
        (Rule.ENTRY_AGREES, dataclasses.replace(GOOD, permit_kind=Permit.ENTRY)),
        (Rule.PERMIT_CONSISTENT, dataclasses.replace(IDLE, permit_quantity=1)),
        (Rule.PERMIT_CONSISTENT, dataclasses.replace(IDLE, permit_price=1)),
        (Rule.FLATTENS, GOOD),
        (Rule.NO_FLATTEN, dataclasses.replace(GOOD, permit_kind=Permit.FLATTEN)),
        (Rule.NO_WORKER_PERMIT, GOOD),
        (Rule.NO_WORKER_PERMIT, dataclasses.replace(GOOD, permit_kind=Permit.ENTRY)),
        (Rule.NO_ENTRY, dataclasses.replace(GOOD, permit_kind=Permit.ENTRY)),
        (Rule.IN_RANGE, dataclasses.replace(GOOD, mark=-1)),
        (Rule.SOUND, dataclasses.replace(GOOD, permit_quantity=11)),
    ],
    ids=str,
)
def test_each_rule_breaks_in_each_of_the_eight_slots(rule: Rule, slot: Slot) -> None:
    good = IDLE if rule in (Rule.FLATTENS, Rule.NO_WORKER_PERMIT) else GOOD
    everywhere = (good,) * 8
    assert slotrules.every(everywhere, rule)
    for worker in range(8):
        slots = tuple(slot if w == worker else good for w in range(8))
        assert not slotrules.every(slots, rule)


@pytest.mark.req("KRN-STEP-013", "KRN-GATE-029")
@pytest.mark.parametrize(
    "changes",
    [
        {"mark": 1},
        {"quantity": 1},
        {"cost": 1},
        {"permit_kind": Permit.ENTRY},
        {"permit_quantity": 1},
        {"permit_price": 1},
    ],
    ids=str,
)
def test_a_slot_that_claims_nothing_is_all_zeros(changes: dict[str, int]) -> None:
    assert slotrules.sound(empty_slot())
    slot = dataclasses.replace(empty_slot(), **changes)  # type: ignore[arg-type]  # by name
    assert not slotrules.sound(slot)


@pytest.mark.req("KRN-STEP-006")
@pytest.mark.parametrize(
    "slot",
    [
        dataclasses.replace(GOOD, mark=-1),
        dataclasses.replace(IDLE, cost=1),
        dataclasses.replace(GOOD, mark=0),
        dataclasses.replace(GOOD, permit_quantity=-4),
        dataclasses.replace(GOOD, permit_kind=Permit.ENTRY),
        dataclasses.replace(IDLE, permit_price=1),
    ],
    ids=str,
)
def test_sound_asks_every_rule(slot: Slot) -> None:
    assert slotrules.sound(GOOD)
    assert not slotrules.sound(slot)


@pytest.mark.req("KRN-GATE-036")
@pytest.mark.parametrize("first", range(8))
@pytest.mark.parametrize("second", range(8))
def test_two_slots_with_one_instrument_are_seen_wherever_they_are(first: int, second: int) -> None:
    slots = {w: dataclasses.replace(IDLE, instrument=w + 1) for w in range(8)}
    assert invariants.OneWorkerPerInstrument(with_slots(held(), slots))
    slots[second] = dataclasses.replace(IDLE, instrument=first + 1)
    alone = invariants.OneWorkerPerInstrument(with_slots(held(), slots))
    assert alone == (first == second)


@pytest.mark.req("KRN-STEP-013")
@pytest.mark.parametrize("worker", range(8))
def test_flat_and_owner_look_at_every_slot(worker: int) -> None:
    state = claimed(until(Posture.APEX), worker, 9)
    assert owner_of(state.gate, 9) == worker
    assert owner_of(state.gate, 10) == -1
    assert flat(state.gate)
    busy = with_slots(state, {worker: GOOD})
    assert not flat(busy.gate)
    asked = with_slots(state, {worker: dataclasses.replace(IDLE, permit_kind=Permit.ENTRY)})
    assert not flat(asked.gate)


@pytest.mark.req("KRN-STEP-006")
@pytest.mark.parametrize(
    ("name", "group", "changes"),
    [
        ("MultiplierNeverAboveTarget", "survival", {"multiplier_ppm": -1}),
        ("CountersWithinHysteresis", "machine", {"bars_below": -1}),
        ("CountersWithinHysteresis", "machine", {"bars_below": 2}),
        ("CountersWithinHysteresis", "machine", {"bars_above": -1}),
        ("CountersWithinHysteresis", "machine", {"bars_above": 5}),
        ("CountersWithinHysteresis", "machine", {"bars_below": 1, "bars_above": 1}),
        ("PeakAtLeastEquity", "ledger", {"equity_peak": 0, "cash": 0, "unrealised_pnl": 0}),
        ("PeakAtLeastEquity", "ledger", {"equity_peak": 1}),
    ],
    ids=str,
)
def test_each_conjunct_of_an_invariant_breaks_it(
    name: str, group: str, changes: dict[str, object]
) -> None:
    assert getattr(invariants, name)(held())
    state = with_group(held(), group, **changes)
    assert not getattr(invariants, name)(state)
    assert not invariants.Inv(state)


@pytest.mark.req("KRN-POST-016")
@pytest.mark.parametrize(
    "changes",
    [
        {"bars_below": 1, "bars_above": 0},
        {"bars_below": 0, "bars_above": 4},
    ],
    ids=str,
)
def test_one_counter_may_count(changes: dict[str, object]) -> None:
    assert invariants.CountersWithinHysteresis(with_group(held(), "machine", **changes))


@pytest.mark.req("KRN-STEP-006")
def test_killed_needs_both_hibernate_and_zero() -> None:
    state = with_group(held(), "killswitch", killed=True, latched_operator=True)
    asleep = with_group(state, "machine", posture=Posture.HIBERNATE)
    assert not invariants.KilledMeansHibernate(asleep), "R is not 0"
    still = with_group(state, "survival", multiplier_ppm=0)
    assert not invariants.KilledMeansHibernate(still), "not in HIBERNATE"
    both = with_group(asleep, "survival", multiplier_ppm=0)
    assert invariants.KilledMeansHibernate(both)


@pytest.mark.req("KRN-GATE-035")
def test_a_released_claim_is_flat() -> None:
    state = drive(confirm(until(Posture.APEX)), [ClaimInstrument(worker=7, instrument=0)])
    assert flat(state.gate)
