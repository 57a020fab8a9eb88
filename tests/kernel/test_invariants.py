"""Invariants at their ends: the last state that keeps one, and the first that does not.

Each is asked by itself, of states that no history leads to: through ``Inv`` one conjunct can hide
behind another.
"""

from dataclasses import replace
from functools import cache
from itertools import product

import pytest

from kernel import invariants
from kernel.constants import AGE_MS_MAX, PPM, Permit, Posture, Profile, Status
from kernel.curves import environment_bible, micro_bible, structural_decay_bible
from kernel.factors import mul
from kernel.slots import put
from kernel.state import PostureMachine, State
from kernel.survival import capital_stress
from tests.kernel.sessions import fresh, holding, until


@cache
def held() -> State:
    return holding(until(Posture.APEX))


# A reading of each sensor that counts as degraded (below .8), and one that does not.
FOREWARNER_MS = {True: 7 * 3_600_000, False: 0}
DEPTH_PPM = {True: 500_000, False: PPM}
SHOCK_MS = {True: 1_800_000, False: AGE_MS_MAX}


@pytest.mark.req("KRN-SURV-017")
@pytest.mark.parametrize("impaired", list(product((False, True), repeat=3)))
def test_two_of_three_impaired_sensors_halve(impaired: tuple[bool, bool, bool]) -> None:
    """Any two of the three, or all of them; the bound is half the product, to the ppm."""
    two, three, four = impaired
    state = held()
    survival = replace(
        state.survival,
        forewarner_status=Status.OK,
        forewarner_age_ms=FOREWARNER_MS[two],
        depth_quality_ppm=DEPTH_PPM[three],
        fill_probability_ppm=PPM,
        book_age_ms=0,
        shock_age_ms=SHOCK_MS[four],
    )
    factors = (
        structural_decay_bible(FOREWARNER_MS[two] // 1000),
        micro_bible(DEPTH_PPM[three], PPM),
        environment_bible(SHOCK_MS[four] // 1000),
    )
    assert tuple(factor < 800_000 for factor in factors) == impaired
    whole = mul(mul(capital_stress(state.ledger), min(factors[0], factors[2])), factors[1])
    half = whole // 2

    def keeps(multiplier_ppm: int) -> bool:
        reading = replace(survival, multiplier_ppm=multiplier_ppm)
        return invariants.TwoImpairedSensorsHalve(replace(state, survival=reading))

    assert keeps(half)
    assert keeps(half + 1) == (sum(impaired) < 2)
    assert keeps(PPM) == (sum(impaired) < 2)


@pytest.mark.parametrize(
    ("profile", "below", "above"), [(Profile.BIBLE, 2, 5), (Profile.SPECIFICATION, 1, 1)]
)
def test_counters_stay_below_what_moves_the_machine(
    profile: Profile, below: int, above: int
) -> None:
    state = fresh(profile)

    def keeps(bars_below: int, bars_above: int) -> bool:
        machine = PostureMachine(Posture.TURTLE, bars_below, bars_above)
        return invariants.CountersWithinHysteresis(replace(state, machine=machine))

    for bars_below, bars_above in product(range(-1, 7), repeat=2):
        expected = (
            0 <= bars_below < below and 0 <= bars_above < above and 0 in (bars_below, bars_above)
        )
        assert keeps(bars_below, bars_above) == expected, (bars_below, bars_above)


@pytest.mark.parametrize("field", ["cash", "contributed", "realised_pnl", "fees"])
def test_each_account_is_in_the_sum(field: str) -> None:
    state = held()
    ledger = replace(state.ledger, cash=11, contributed=-5, realised_pnl=-13, fees=7)
    assert invariants.AccountsSumToZero(replace(state, ledger=ledger))
    for change in (-1, 1):
        wrong = replace(ledger, **{field: getattr(ledger, field) + change})
        assert not invariants.AccountsSumToZero(replace(state, ledger=wrong))


@pytest.mark.parametrize(
    ("peak", "cash", "unrealised", "expected"),
    [(1, 1, 0, True), (1, 0, 0, True), (0, 0, 0, False), (0, -1, 0, False), (-1, -1, 0, False),
     (5, 5, 0, True), (5, 4, 2, False), (5, 4, 1, True), (5, 6, -1, True), (5, 6, 0, False)],
)  # fmt: skip
def test_the_peak_is_positive_and_at_least_equity(
    peak: int, cash: int, unrealised: int, expected: bool
) -> None:
    state = held()
    ledger = replace(state.ledger, equity_peak=peak, cash=cash, unrealised_pnl=unrealised)
    assert invariants.PeakAtLeastEquity(replace(state, ledger=ledger)) == expected


@pytest.mark.parametrize("posture", list(Posture))
@pytest.mark.parametrize("fenced", [False, True])
@pytest.mark.parametrize("kind", list(Permit))
def test_which_permit_may_be_out_in_which_posture(
    posture: Posture, fenced: bool, kind: Permit
) -> None:
    """All postures, all kinds, before and behind a confirmed fence, in the last slot."""
    state = held()
    lots = {Permit.NONE: 0, Permit.ENTRY: -3, Permit.EXIT: 3, Permit.FLATTEN: 10}[kind]
    slot = replace(
        state.gate.slots[0], permit_kind=kind, permit_quantity=lots, permit_price=abs(lots)
    )
    empty = state.gate.slots[1]
    slots = put(put(state.gate.slots, 0, empty), 7, slot)
    state = replace(
        state,
        machine=PostureMachine(posture, 0, 0),
        gate=replace(state.gate, slots=slots, fence_confirmed=fenced),
    )
    hibernates = posture == Posture.HIBERNATE
    assert invariants.hibernates_fenced(state) == (hibernates and fenced)
    assert invariants.FlattenOnlyInHibernate(state) == (hibernates or kind != Permit.FLATTEN)
    assert invariants.HibernateFlattens(state) == (
        not (hibernates and fenced) or kind == Permit.FLATTEN
    )
    assert invariants.NoWorkerPermitInHibernate(state) == (
        not (hibernates and fenced) or kind in (Permit.NONE, Permit.FLATTEN)
    )
    assert invariants.NoEntryBelowStalker(state) == (
        posture > Posture.TURTLE or not fenced or kind != Permit.ENTRY
    )


@pytest.mark.parametrize("total", ["unrealised_pnl", "open_notional", "reserved_notional"])
def test_each_total_is_the_slots_own(total: str) -> None:
    """One micro-USDT more or less in the total is seen, by its own invariant."""
    state = held()
    predicate = {
        "unrealised_pnl": invariants.UnrealisedIsSumOfSlots,
        "open_notional": invariants.OpenIsSumOfPositions,
        "reserved_notional": invariants.ReservedIsSumOfPermits,
    }[total]
    # A profit, an entry and a position whose shares are all different.
    slot = replace(
        state.gate.slots[0], quantity=-5, mark=7, cost=-11, permit_kind=Permit.ENTRY,
        permit_quantity=-3, permit_price=13,
    )  # fmt: skip
    gate = replace(
        state.gate, slots=put(state.gate.slots, 0, slot), open_notional=35, reserved_notional=39
    )
    ledger = replace(state.ledger, unrealised_pnl=-24)
    right = replace(state, gate=gate, ledger=ledger)
    assert predicate(right)
    for change in (-1, 1):
        if total == "unrealised_pnl":
            wrong = replace(right, ledger=replace(ledger, unrealised_pnl=-24 + change))
        else:
            wrong = replace(right, gate=replace(gate, **{total: getattr(gate, total) + change}))
        assert not predicate(wrong)
