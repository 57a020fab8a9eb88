"""Invariants of the kernel's state, under the same names as in the models.

Rules of this file:

*   A function here has the name of an invariant in ``spec/tla/`` and says the same; a test compares
    the two sets of names. ``Inv`` is their conjunction.
*   Three are strengthenings: no model needs them to hold, a proof by induction does. A journal that
    is down keeps its latch (or ``killed`` could fall); a flatten is whole (or its last fill would
    leave a position without one); a slot without a claim has no mark (or its next claim would).
*   Predicates only. Nothing here is called to decide anything; ``step``'s contract calls ``Inv``.

Not here: what a step promises (``promises.py``); liveness, and properties of whole histories (the
models, and the audit).
Spec modules: all five and Kernel.
"""

from kernel.causes import cause_active
from kernel.constants import (
    AGE_MS_MAX,
    BOOK_STALE_FACTOR_PPM,
    GRID_MEMBERS_MAX,
    LATENCY_MS_MAX,
    PPM,
    Pending,
    Posture,
    Profile,
)
from kernel.contracts import pure
from kernel.curves import micro_bible
from kernel.equity import drawdown, equity
from kernel.factors import degraded, mul
from kernel.posture import down_after, up_after
from kernel.ranges import within
from kernel.slotrules import Rule, Share, claims_alone, every, total
from kernel.state import State
from kernel.survival import (
    capital_stress,
    environment,
    microstructure,
    readings_in_range,
    structural,
    target,
)

# Names in capitals are the models'.


@pure
def KilledIffCause(state: State) -> bool:
    """``killed`` is exactly "some cause is active"."""
    return state.killswitch.killed == cause_active(state.killswitch, state.limits)


@pure
def KilledMeansHibernate(state: State) -> bool:
    """A killed kernel hibernates with multiplier 0."""
    return not state.killswitch.killed or (
        state.machine.posture == Posture.HIBERNATE and state.survival.multiplier_ppm == 0
    )


@pure
def JournalDownMeansHibernate(state: State) -> bool:
    """Nothing trades that cannot be journalled."""
    return state.killswitch.journal_writable or state.machine.posture == Posture.HIBERNATE


@pure
def RearmRequestMeansLatched(state: State) -> bool:
    """A re-arm waits only while something is latched."""
    switch = state.killswitch
    return switch.operator_request != Pending.REARM or (
        switch.latched_checksum or switch.latched_desync or switch.latched_operator
    )


@pure
def JournalDownMeansLatched(state: State) -> bool:
    """A journal that is down has latched a cause: a strengthening, see the header."""
    return state.killswitch.journal_writable or state.killswitch.latched_checksum


@pure
def MultiplierNeverAboveTarget(state: State) -> bool:
    """R is never above what the five categories call for."""
    return readings_in_range(state.survival, state.ledger) and (
        0 <= state.survival.multiplier_ppm <= target(state)
    )


@pure
def TwoImpairedSensorsHalve(state: State) -> bool:
    """bible 11.3: with two of the three sensors degraded, R is at most half their product."""
    if not readings_in_range(state.survival, state.ledger):
        return False
    profile = state.limits.profile
    two = structural(state.survival, profile)
    three = microstructure(state.survival, profile, state.limits.book_stale_ms)
    four = environment(state.survival, profile)
    if profile != Profile.BIBLE or degraded(two) + degraded(three) + degraded(four) < 2:
        return True
    product = mul(mul(capital_stress(state.ledger), min(two, four)), three)
    return 2 * state.survival.multiplier_ppm <= product


@pure
def SilentBookIsBad(state: State) -> bool:
    """bible: a silent book counts for at most half, and for at most what it last showed."""
    reading = state.survival
    if not readings_in_range(reading, state.ledger):
        return False
    if state.limits.profile != Profile.BIBLE or reading.book_age_ms <= state.limits.book_stale_ms:
        return True
    shown = micro_bible(reading.depth_quality_ppm, reading.fill_probability_ppm)
    return reading.multiplier_ppm <= min(BOOK_STALE_FACTOR_PPM, shown)


@pure
def CountersWithinHysteresis(state: State) -> bool:
    """The bar counters stay below the counts that move the machine, and one of them is 0."""
    machine = state.machine
    return (
        0 <= machine.bars_below < down_after(state.limits.profile)
        and 0 <= machine.bars_above < up_after(state.limits.profile)
        and (machine.bars_below == 0 or machine.bars_above == 0)
    )


@pure
def AccountsSumToZero(state: State) -> bool:  # KRN-LEDG-001
    """Double entry: nothing appears and nothing is lost."""
    ledger = state.ledger
    return ledger.cash + ledger.contributed + ledger.realised_pnl + ledger.fees == 0


@pure
def PeakAtLeastEquity(state: State) -> bool:
    """The peak is positive and no equity was above it."""
    return state.ledger.equity_peak > 0 and state.ledger.equity_peak >= equity(state.ledger)


@pure
def DrawdownIsExact(state: State) -> bool:
    """The drawdown is that of equity from its peak."""
    return state.ledger.drawdown_ppm == drawdown(state.ledger.equity_peak, equity(state.ledger))


@pure
def UnrealisedIsSumOfSlots(state: State) -> bool:
    """The unrealised total is the slots'."""
    return state.ledger.unrealised_pnl == total(state.gate.slots, Share.UNREALISED)


@pure
def OpenIsSumOfPositions(state: State) -> bool:  # KRN-GATE-026
    """The open total is the slots'."""
    return state.gate.open_notional == total(state.gate.slots, Share.OPEN)


@pure
def ReservedIsSumOfPermits(state: State) -> bool:  # KRN-GATE-025
    """The reserved total is the slots'."""
    return state.gate.reserved_notional == total(state.gate.slots, Share.RESERVED)


@pure
def OneWorkerPerInstrument(state: State) -> bool:  # KRN-GATE-036
    """An instrument's inventory belongs to one worker (specification VII.1)."""
    return (
        claims_alone(state.gate.slots, 0)
        and claims_alone(state.gate.slots, 1)
        and claims_alone(state.gate.slots, 2)
        and claims_alone(state.gate.slots, 3)
        and claims_alone(state.gate.slots, 4)
        and claims_alone(state.gate.slots, 5)
        and claims_alone(state.gate.slots, 6)
    )


@pure
def FlatPositionHasNoCost(state: State) -> bool:
    """A position of 0 lots has no cost, in every slot."""
    return every(state.gate.slots, Rule.FLAT_HAS_NO_COST)


@pure
def PositionNeedsClaim(state: State) -> bool:  # KRN-GATE-029
    """A position or a permit needs a claim and a mark, in every slot."""
    return every(state.gate.slots, Rule.NEEDS_CLAIM)


@pure
def NoPermitFlips(state: State) -> bool:  # KRN-GATE-027
    """Exits and flattens reduce, in every slot."""
    return every(state.gate.slots, Rule.REDUCES)


@pure
def EntryNeverOpposesPosition(state: State) -> bool:  # KRN-GATE-028
    """An entry never stands against a position, in every slot."""
    return every(state.gate.slots, Rule.ENTRY_AGREES)


@pure
def PermitSlotIsConsistent(state: State) -> bool:  # KRN-GATE-030
    """Permit kind, lots and price come and go together, in every slot."""
    return every(state.gate.slots, Rule.PERMIT_CONSISTENT)


@pure
def FlattenIsWhole(state: State) -> bool:
    """A flatten is for the whole position, in every slot: a strengthening, see the header."""
    return every(state.gate.slots, Rule.FLATTEN_WHOLE)


@pure
def UnclaimedHasNoMark(state: State) -> bool:
    """A slot that claims nothing has no mark: a strengthening, see the header."""
    return every(state.gate.slots, Rule.UNCLAIMED_UNMARKED)


@pure
def hibernates_fenced(state: State) -> bool:
    """The kernel hibernates and the guard has confirmed the epoch."""
    return state.machine.posture == Posture.HIBERNATE and state.gate.fence_confirmed


@pure
def FlattenOnlyInHibernate(state: State) -> bool:  # KRN-FENCE-013
    """A flatten is out only in HIBERNATE. A restart may put the fence behind one that is out."""
    return state.machine.posture == Posture.HIBERNATE or every(state.gate.slots, Rule.NO_FLATTEN)


@pure
def HibernateFlattens(state: State) -> bool:  # KRN-FENCE-011
    """HIBERNATE behind a confirmed fence: every position has its flatten out."""
    return not hibernates_fenced(state) or every(state.gate.slots, Rule.FLATTENS)


@pure
def NoWorkerPermitInHibernate(state: State) -> bool:  # KRN-FENCE-011
    """HIBERNATE behind a confirmed fence: no worker's permit is out."""
    return not hibernates_fenced(state) or every(state.gate.slots, Rule.NO_WORKER_PERMIT)


@pure
def NoEntryBelowStalker(state: State) -> bool:  # KRN-FENCE-012
    """TURTLE and HIBERNATE behind a confirmed fence: no entry is out."""
    return (
        state.machine.posture > Posture.TURTLE
        or not state.gate.fence_confirmed
        or every(state.gate.slots, Rule.NO_ENTRY)
    )


@pure
def scalars_in_range(state: State) -> bool:
    """Every field outside the slots is in its range."""
    switch = state.killswitch
    reading = state.survival
    return (
        state.clock.process_time_ms >= 0
        and state.clock.market_time_ms >= 0
        and within(switch.heartbeat_age_ms[0], 0, AGE_MS_MAX)
        and within(switch.heartbeat_age_ms[1], 0, AGE_MS_MAX)
        and within(switch.heartbeat_age_ms[2], 0, AGE_MS_MAX)
        and within(switch.heartbeat_age_ms[3], 0, AGE_MS_MAX)
        and within(switch.grid_members, 0, GRID_MEMBERS_MAX)
        and within(switch.operator_request_age_ms, 0, AGE_MS_MAX)
        and (switch.operator_request != Pending.NONE or switch.operator_request_age_ms == 0)
        and within(reading.forewarner_age_ms, 0, AGE_MS_MAX)
        and within(reading.book_age_ms, 0, AGE_MS_MAX)
        and within(reading.shock_age_ms, 0, AGE_MS_MAX)
        and within(reading.depth_quality_ppm, 0, PPM)
        and within(reading.fill_probability_ppm, 0, PPM)
        and within(reading.book_latency_ms, 0, LATENCY_MS_MAX)
        and within(reading.book_jitter_ms, 0, LATENCY_MS_MAX)
        and state.gate.fence_epoch >= 0
    )


@pure
def TypeOK(state: State) -> bool:  # KRN-STEP-013
    """Every field is in its range."""
    return scalars_in_range(state) and every(state.gate.slots, Rule.IN_RANGE)


@pure
def Inv(state: State) -> bool:  # KRN-STEP-006
    """The conjunction of all invariants.

    ``Rule.SOUND`` stands for ``TypeOK`` of the slots and the seven that speak of a slot alone: one
    walk over the slots, since this runs at every step, in production too. So two are not asked
    again: ``TwoImpairedSensorsHalve`` and ``SilentBookIsBad`` follow (``lemmas.py``).
    """
    return (
        scalars_in_range(state)
        and every(state.gate.slots, Rule.SOUND)
        and KilledIffCause(state)
        and KilledMeansHibernate(state)
        and JournalDownMeansHibernate(state)
        and JournalDownMeansLatched(state)
        and RearmRequestMeansLatched(state)
        and MultiplierNeverAboveTarget(state)
        and CountersWithinHysteresis(state)
        and AccountsSumToZero(state)
        and PeakAtLeastEquity(state)
        and DrawdownIsExact(state)
        and UnrealisedIsSumOfSlots(state)
        and OpenIsSumOfPositions(state)
        and ReservedIsSumOfPermits(state)
        and OneWorkerPerInstrument(state)
        and FlattenOnlyInHibernate(state)
        and HibernateFlattens(state)
        and NoWorkerPermitInHibernate(state)
        and NoEntryBelowStalker(state)
    )
