"""Rules that cross the kernel: what only one event may do, in what order guards speak.

``session`` makes each of the 22 events happen once; a rule then says of every step what it may
change.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product

import pytest

from kernel import events as ev
from kernel.bar import close_bar, counted
from kernel.constants import AGE_MS_MAX, PPM, Pending, Permit, Posture, Profile, Status
from kernel.gate import claim_instrument, close_order, request_order
from kernel.killswitch import settle
from kernel.outcome import Accepted, Effects, Outcome, Reason, Refused
from kernel.rearm import confirm_peak_reset
from kernel.state import Limits, Slot, State, empty_slot
from kernel.step import step
from kernel.survival import target
from tests.kernel.curve_check import SUBJECTS
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

TRIP = ev.TripKillSwitch(cause=3, operator=1, reason=0)
NO_EFFECTS = Effects(False, False, False)


@cache
def apex() -> State:
    return claimed(until(Posture.APEX))


def events() -> Iterator[ev.Event]:
    """A session in which every event is accepted."""
    yield ev.ReportGrid(members=3)
    yield order(quantity=10)
    yield ev.ReportFill(worker=0, quantity=10, price=BTC_LOT, fee=5)
    yield ev.UpdateMark(instrument=1, price=BTC_LOT + 1_000)
    yield order(side=1, reduce_only=True, quantity=4)
    yield ev.CloseOrder(worker=0)
    yield ev.ClaimInstrument(worker=5, instrument=9)
    yield ev.ReportForewarner(status=1)
    yield ev.ReportShock()
    yield ev.ReportBook(depth_quality_ppm=7, fill_probability_ppm=8, latency_ms=9, jitter_ms=10)
    yield ev.RecordHeartbeat(partition=2)
    yield ev.AdvanceTime(process_time_ms=5)
    yield TRIP
    yield ev.ConfirmFence(epoch=1)
    yield ev.ReportFill(worker=0, quantity=10, price=BTC_LOT, fee=0)
    yield ev.RequestRearm(operator=1, reason=1)
    yield ev.AdvanceTime(process_time_ms=10_005)
    yield ev.ConfirmRearm(operator=2, reason=1)
    yield ev.RequestPeakReset(operator=1, reason=2)
    yield ev.AdvanceTime(process_time_ms=20_005)
    yield ev.ConfirmPeakReset(operator=2, reason=2)
    yield ev.FailJournal()
    yield ev.RestoreJournal()
    yield ev.RestartKernel()


@cache
def session() -> tuple[tuple[State, ev.Event, Accepted], ...]:
    """Every step of the session, a bar and an equal view among them."""
    found = []
    state = apex()
    more = [
        ev.CloseBar(market_time_ms=state.clock.market_time_ms + 5_000),
        ev.ReconcileLedger(cash=state.ledger.cash, quantities=(0,) * 8),
    ]
    for event in (*more, *events()):
        outcome = step(state, event)
        assert isinstance(outcome, Accepted), (event, outcome)
        found.append((state, event, outcome))
        state = outcome.state
    return tuple(found)


def test_control_the_session_has_every_event() -> None:
    said = {type(event).__name__ for _, event, _ in session()}
    every = {
        name
        for name, one in vars(ev).items()
        if isinstance(one, type) and issubclass(one, ev.Event) and one is not ev.Event
    }
    assert said == every


# --- what only one event may do ------------------------------------------------------------------


@pytest.mark.req("KRN-TIME-007")
def test_each_clock_has_its_event() -> None:
    for before, event, outcome in session():
        was, now = before.clock, outcome.state.clock
        process = isinstance(event, ev.AdvanceTime)
        market = isinstance(event, ev.CloseBar)
        assert now.process_time_ms == (event.process_time_ms if process else was.process_time_ms)
        assert now.market_time_ms == (event.market_time_ms if market else was.market_time_ms)


@pytest.mark.req("KRN-STEP-012")
def test_the_limits_never_change() -> None:
    for before, _, outcome in session():
        assert outcome.state.limits == before.limits


@pytest.mark.req("KRN-LEDG-001", "KRN-LEDG-008")
def test_the_accounts_sum_to_zero_and_only_a_fill_moves_cash() -> None:
    for before, event, outcome in session():
        book = outcome.state.ledger
        assert book.cash + book.contributed + book.realised_pnl + book.fees == 0
        assert book.contributed == before.ledger.contributed
        if not isinstance(event, ev.ReportFill):
            assert book.cash == before.ledger.cash


@pytest.mark.req("KRN-FENCE-010", "KRN-FENCE-002", "KRN-STEP-009", "KRN-FENCE-009")
def test_the_epoch_stays_or_is_the_next_and_a_step_asks_for_one_effect() -> None:
    moved = 0
    for before, _, outcome in session():
        after, effects = outcome.state, outcome.effects
        difference = after.gate.fence_epoch - before.gate.fence_epoch
        assert difference in (0, 1)
        assert effects.cancel_all_orders == (difference == 1)
        asked = (effects.cancel_all_orders, effects.flatten_positions, effects.issue_permit)
        assert sum(asked) <= 1
        if effects.flatten_positions:
            assert after.machine.posture == Posture.HIBERNATE
            assert after.gate.fence_confirmed
        moved += difference
    assert moved == 2, "a kill in HIBERNATE leaves the fence: FailJournal moved it not"


@pytest.mark.req("KRN-POST-014", "KRN-KILL-017")
def test_posture_and_latches_change_only_by_their_events() -> None:
    for before, event, outcome in session():
        after = outcome.state
        rose = after.killswitch.killed and not before.killswitch.killed
        if not isinstance(event, (ev.CloseBar, ev.RestartKernel)) and not rose:
            assert after.machine.posture == before.machine.posture, event
        for latch in ("latched_checksum", "latched_desync", "latched_operator"):
            if getattr(before.killswitch, latch) and not getattr(after.killswitch, latch):
                assert isinstance(event, ev.ConfirmRearm)


@pytest.mark.req("KRN-SURV-027", "KRN-SURV-031")
def test_only_a_bar_raises_the_multiplier_and_never_above_the_target() -> None:
    for before, event, outcome in session():
        risen = outcome.state.survival.multiplier_ppm > before.survival.multiplier_ppm
        assert not risen or isinstance(event, ev.CloseBar)
        assert outcome.state.survival.multiplier_ppm <= target(outcome.state)


@pytest.mark.req("KRN-LEDG-013")
def test_the_peak_falls_only_by_a_reset() -> None:
    fell = [
        type(event)
        for before, event, outcome in session()
        if outcome.state.ledger.equity_peak < before.ledger.equity_peak
    ]
    assert fell == [ev.ConfirmPeakReset]


@pytest.mark.req("KRN-RST-002", "KRN-RST-004", "KRN-RST-005")
def test_a_restart_drops_a_request_and_keeps_the_rest() -> None:
    killed = accept(holding(apex()), TRIP)
    asked = accept(killed, ev.RequestRearm(operator=1, reason=1))
    state = accept(asked, ev.AdvanceTime(process_time_ms=7))
    after = accept(state, ev.RestartKernel())
    assert after.killswitch == replace(
        state.killswitch,
        heartbeat_age_ms=(0, 0, 0, 0), operator_request=Pending.NONE, operator_request_age_ms=0,
    )  # fmt: skip
    assert (after.clock, after.ledger, after.survival) == (
        state.clock, state.ledger, state.survival,
    )  # fmt: skip
    assert after.gate == replace(state.gate, fence_epoch=2, fence_confirmed=False)
    late = accept(apex(), ev.AdvanceTime(process_time_ms=30_001))
    assert not accept(late, ev.RestartKernel()).killswitch.killed, "the hearts begin anew"


# --- the kill-switch -----------------------------------------------------------------------------


@pytest.mark.req("KRN-KILL-010")
@pytest.mark.parametrize("grid_in_use", [False, True])
def test_killed_is_exactly_some_cause(grid_in_use: bool) -> None:
    limits: Limits = replace(apex().limits, grid_in_use=grid_in_use)
    for checksum, desync, by_operator, late, members in product(*[(False, True)] * 5):
        ages = (0, 0, 30_001 if late else 30_000, 0)
        killswitch = replace(
            apex().killswitch,
            latched_checksum=checksum, latched_desync=desync, latched_operator=by_operator,
            heartbeat_age_ms=ages, grid_members=int(members),
        )  # fmt: skip
        cause = checksum or desync or by_operator or late or (grid_in_use and not members)
        state = replace(apex(), killswitch=killswitch, limits=limits)
        assert settle(state).state.killswitch.killed == cause


@pytest.mark.req("KRN-KILL-015", "KRN-SURV-020")
def test_bars_earn_nothing_while_killed() -> None:
    killed = confirm(accept(apex(), TRIP))
    assert target(killed) == 0
    state = killed
    for _ in range(8):
        state = bar(state)
        assert state.survival.multiplier_ppm == 0
        assert state.machine == killed.machine


@pytest.mark.req("KRN-TIME-008", "KRN-KILL-020", "KRN-REARM-010")
def test_a_quiet_tick_changes_clock_and_ages_alone() -> None:
    killed = accept(apex(), TRIP)
    for state, pending in ((killed, 0), (accept(killed, ev.RequestRearm(1, 1)), 9)):
        ages = tuple(age + 9 for age in state.killswitch.heartbeat_age_ms)
        now = state.clock.process_time_ms + 9
        assert step(state, ev.AdvanceTime(process_time_ms=now)) == Accepted(
            replace(
                state,
                clock=replace(state.clock, process_time_ms=now),
                killswitch=replace(
                    state.killswitch, heartbeat_age_ms=ages, operator_request_age_ms=pending
                ),
            ),
            NO_EFFECTS,
        )


# --- readings ------------------------------------------------------------------------------------


@pytest.mark.req("KRN-SURV-034", "KRN-SURV-035", "KRN-SURV-036", "KRN-SURV-026")
@pytest.mark.parametrize(
    ("event", "read"),
    [
        (
            ev.ReportForewarner(status=1),
            {"forewarner_status": Status.ORANGE, "forewarner_age_ms": 0},
        ),
        (
            ev.ReportBook(depth_quality_ppm=7, fill_probability_ppm=8, latency_ms=9, jitter_ms=10),
            {
                "depth_quality_ppm": 7, "fill_probability_ppm": 8, "book_latency_ms": 9,
                "book_jitter_ms": 10, "book_age_ms": 0,
            },
        ),
        (ev.ReportShock(), {"shock_age_ms": 0}),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_reading_sets_its_own_fields_and_lowers(event: ev.Event, read: dict[str, int]) -> None:
    state = accept(apex(), ev.CloseBar(market_time_ms=apex().clock.market_time_ms + 5_000))
    assert min(state.survival.forewarner_age_ms, state.survival.book_age_ms) > 0
    after = accept(state, event)
    wanted = replace(state.survival, **read)  # type: ignore[arg-type]  # fields by name
    called_for = target(replace(state, survival=wanted))
    lowest = min(state.survival.multiplier_ppm, called_for)
    assert after == replace(state, survival=replace(wanted, multiplier_ppm=lowest))
    assert lowest < state.survival.multiplier_ppm


@pytest.mark.req("KRN-SURV-033", "KRN-KILL-021", "KRN-SURV-025")
def test_a_bar_ages_the_sensors_and_attacks() -> None:
    state = apex()
    now = state.clock.market_time_ms
    after = accept(state, ev.CloseBar(market_time_ms=now + 36_000_000))
    for name in ("forewarner_age_ms", "book_age_ms", "shock_age_ms"):
        assert getattr(after.survival, name) == getattr(state.survival, name) + 36_000_000
    assert after.survival.multiplier_ppm == target(after) < state.survival.multiplier_ppm
    old = accept(state, ev.CloseBar(market_time_ms=now + 2 * AGE_MS_MAX))
    assert (old.survival.forewarner_age_ms, old.survival.shock_age_ms) == (AGE_MS_MAX,) * 2


@pytest.mark.req("KRN-SURV-022")
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_curve_never_turns(subject) -> None:  # type: ignore[no-untyped-def]  # a pytest parameter
    """Neighbours over the whole range; that no input is left out is the exhaustive check's."""
    points = {n + d for n in range(0, subject.last, max(1, subject.last // 3_000)) for d in (0, 1)}
    values = [subject.code(n) for n in sorted(points)]
    assert values == sorted(values, reverse=not subject.rises)
    assert values[0] != values[-1]


# --- the posture machine -------------------------------------------------------------------------


def at(posture: Posture, ppm: int, below: int = 0, above: int = 0) -> State:
    machine = replace(apex().machine, posture=posture, bars_below=below, bars_above=above)
    survival = replace(apex().survival, multiplier_ppm=ppm)
    return replace(apex(), machine=machine, survival=survival)


@pytest.mark.req("KRN-POST-010", "KRN-POST-016")
@pytest.mark.parametrize(
    ("posture", "ppm", "below", "above"),
    [
        (Posture.TURTLE, 950_000, 0, 4),  # climbs
        (Posture.TURTLE, 950_000, 0, 1),  # counts up
        (Posture.APEX, 600_000, 0, 0),  # counts down
        (Posture.APEX, 950_000, 1, 0),  # steady
    ],
)
def test_what_is_no_demotion_leaves_the_gate_alone(
    posture: Posture, ppm: int, below: int, above: int
) -> None:
    state = at(posture, ppm, below, above)
    after = counted(state)
    assert after.state.gate == state.gate
    assert after.effects == NO_EFFECTS
    if after.state.machine.posture != posture:
        assert (after.state.machine.bars_below, after.state.machine.bars_above) == (0, 0)


@pytest.mark.req("KRN-POST-012", "KRN-POST-011")
def test_bars_count_in_a_row() -> None:
    down = counted(at(Posture.STALKER, 600_000, above=4)).state.machine
    assert (down.bars_below, down.bars_above) == (1, 0)
    up = counted(at(Posture.STALKER, 950_000, below=1)).state.machine
    assert (up.bars_below, up.bars_above) == (0, 1)
    steady = counted(at(Posture.STALKER, 800_000, above=4)).state.machine
    assert (steady.bars_below, steady.bars_above) == (0, 0)


@pytest.mark.req("KRN-POST-006")
def test_the_specification_believes_the_first_bar() -> None:
    limits = replace(apex().limits, profile=Profile.SPECIFICATION)
    down = counted(replace(at(Posture.APEX, 849_999), limits=limits))
    assert down.state.machine.posture == Posture.STALKER
    up = counted(replace(at(Posture.STALKER, 920_000), limits=limits))
    assert up.state.machine.posture == Posture.APEX


# --- the gate ------------------------------------------------------------------------------------


@pytest.mark.req("KRN-GATE-024", "KRN-GATE-021", "KRN-GATE-022")
@pytest.mark.parametrize("reduce_only", [False, True])
def test_an_accepted_order_moves_its_permit_alone(reduce_only: bool) -> None:
    state = holding(apex()) if reduce_only else apex()
    said = order(side=1 if reduce_only else -1, reduce_only=reduce_only, quantity=3)
    outcome = step(state, said)
    assert isinstance(outcome, Accepted)
    kind = Permit.EXIT if reduce_only else Permit.ENTRY
    slot = replace(
        state.gate.slots[0],
        permit_kind=kind, permit_quantity=3 * said.side, permit_price=BTC_LOT,
    )  # fmt: skip
    reserved = 0 if reduce_only else 3 * BTC_LOT
    gate = replace(state.gate, slots=(slot, *state.gate.slots[1:]), reserved_notional=reserved)
    assert outcome == Accepted(replace(state, gate=gate), Effects(False, False, True))


SLOT = Slot(
    instrument=1, mark=BTC_LOT, quantity=0, cost=0,
    permit_kind=Permit.NONE, permit_quantity=0, permit_price=0,
)  # fmt: skip
HUGE = order(quantity=10**6, leverage_ppm=100 * PPM)


def with_slot_zero(state: State, slot: Slot, **gate: object) -> State:
    slots = (slot, *state.gate.slots[1:])
    return replace(state, gate=replace(state.gate, slots=slots, **gate))  # type: ignore[arg-type]  # fields by name


def reason(outcome: Outcome) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


@pytest.mark.req("KRN-GATE-020")
def test_an_entry_that_fails_everywhere_is_refused_for_the_first_reason() -> None:
    """All guards fail at once; each is mended in turn, and the next one speaks."""
    limits = replace(apex().limits, profile=Profile.SPECIFICATION)
    low = replace(apex(), survival=replace(apex().survival, multiplier_ppm=0), limits=limits)
    stalker = replace(low, survival=replace(low.survival, multiplier_ppm=800_000))
    busy = replace(SLOT, quantity=5, permit_kind=Permit.EXIT, permit_quantity=-5, permit_price=1)
    told = []
    for state, slot, said, confirmed in (
        (low, replace(busy, instrument=2, mark=0), HUGE, False),
        (low, replace(busy, instrument=2, mark=0), HUGE, True),
        (low, replace(busy, mark=0), HUGE, True),
        (low, replace(SLOT, quantity=5, mark=0), HUGE, True),
        (low, replace(SLOT, quantity=5), HUGE, True),
        (low, SLOT, HUGE, True),
        (stalker, SLOT, HUGE, True),
        (stalker, SLOT, replace(HUGE, market=False, limit_price=1), True),
        (stalker, SLOT, replace(HUGE, market=False, limit_price=1, leverage_ppm=PPM), True),
    ):
        full = with_slot_zero(state, slot, fence_confirmed=confirmed, open_notional=10**15)
        told.append(reason(request_order(full, said)))
    small = replace(HUGE, market=False, limit_price=1, leverage_ppm=PPM, quantity=1)
    full = with_slot_zero(stalker, SLOT, fence_confirmed=True, open_notional=10**15)
    told.append(reason(request_order(full, small)))
    assert told == [
        Reason.FENCE_UNCONFIRMED, Reason.INSTRUMENT_NOT_CLAIMED, Reason.PERMIT_OUTSTANDING,
        Reason.NO_MARK, Reason.POSITION_OPEN, Reason.POSTURE_FORBIDS_ENTRY, Reason.LIMIT_ONLY,
        Reason.LEVERAGE_ABOVE_CEILING, Reason.NOTIONAL_ABOVE_FRACTION,
        Reason.EXPOSURE_ABOVE_CEILING,
    ]  # fmt: skip


@pytest.mark.req("KRN-GATE-020")
def test_the_other_guards_speak_in_their_order_too() -> None:
    state = apex()
    grows = order(side=1, reduce_only=True, quantity=9)
    assert reason(request_order(state, grows)) == Reason.NOTHING_TO_REDUCE
    long = with_slot_zero(state, replace(SLOT, quantity=5))
    assert reason(request_order(long, grows)) == Reason.WOULD_GROW
    taken = with_slot_zero(claimed(state, 1, 2), replace(SLOT, quantity=5, permit_kind=Permit.EXIT))
    claim = ev.ClaimInstrument(worker=0, instrument=2)
    assert reason(claim_instrument(taken, claim)) == Reason.PERMIT_OUTSTANDING
    open_only = with_slot_zero(taken, replace(SLOT, quantity=5))
    assert reason(claim_instrument(open_only, claim)) == Reason.POSITION_OPEN
    assert reason(claim_instrument(with_slot_zero(taken, SLOT), claim)) == Reason.INSTRUMENT_OWNED

    live = replace(state, limits=replace(state.limits, live=True))
    now = live.clock.market_time_ms
    assert reason(close_bar(live, ev.CloseBar(now - 1))) == Reason.TIME_BACKWARDS
    assert reason(close_bar(live, ev.CloseBar(now + 1))) == Reason.BAR_TOO_SHORT
    assert reason(close_bar(live, ev.CloseBar(now + 5_000))) == Reason.MARKET_TIME_AHEAD


@pytest.mark.req("KRN-GATE-020", "KRN-PEAK-004", "KRN-PEAK-005", "KRN-PEAK-006", "KRN-PEAK-003")
def test_a_confirmation_that_fails_everywhere_is_refused_for_the_first_reason() -> None:
    state = holding(apex())
    said = ev.ConfirmPeakReset(operator=1, reason=1)

    def when(**fields: object) -> Reason:
        killswitch = replace(state.killswitch, journal_writable=False)
        killswitch = replace(killswitch, **fields)  # type: ignore[arg-type]  # fields by name
        return reason(confirm_peak_reset(replace(state, killswitch=killswitch), said))

    pending = {"operator_request": Pending.PEAK_RESET}
    assert when() == Reason.NO_REQUEST
    assert when(operator_request=Pending.REARM) == Reason.NO_REQUEST
    assert when(**pending, operator_request_age_ms=9_999) == Reason.COOLING
    assert when(**pending, operator_request_age_ms=600_001) == Reason.REQUEST_EXPIRED
    assert when(**pending, operator_request_age_ms=10_000) == Reason.JOURNAL_DOWN
    assert when(**pending, operator_request_age_ms=600_000) == Reason.JOURNAL_DOWN
    writable = {"journal_writable": True, "operator_request_age_ms": 10_000}
    assert when(**pending, **writable) == Reason.NOT_FLAT


@pytest.mark.req("KRN-GATE-040", "KRN-GATE-038")
def test_a_close_outside_of_a_fenced_hibernate_flattens_nothing() -> None:
    leaving = accept(holding(apex()), order(side=1, reduce_only=True, quantity=4))
    killed = accept(leaving, TRIP)
    entered = accept(apex(), order(quantity=2))
    fenced = confirm(accept(drive(apex(), [HEALTHY_BOOK]), TRIP))
    idle = with_slot_zero(
        fenced, replace(SLOT, permit_kind=Permit.FLATTEN, permit_quantity=1, permit_price=1)
    )
    for state in (leaving, killed, entered, idle):
        outcome = close_order(state, ev.CloseOrder(worker=0))
        assert isinstance(outcome, Accepted)
        assert outcome.effects == NO_EFFECTS
        slot = outcome.state.gate.slots[0]
        assert (slot.permit_kind, slot.permit_quantity, slot.permit_price) == (Permit.NONE, 0, 0)
        assert outcome.state.gate.reserved_notional == 0


@pytest.mark.req("KRN-INIT-001", "KRN-INIT-003")
def test_a_session_opens_with_no_trust() -> None:
    state = fresh()
    assert state.machine.posture == Posture.HIBERNATE
    assert state.survival == replace(
        state.survival,
        forewarner_status=Status.RED, depth_quality_ppm=0, fill_probability_ppm=0,
        shock_age_ms=0, multiplier_ppm=0,
    )  # fmt: skip
    assert not state.gate.fence_confirmed
    assert state.gate.slots == (empty_slot(),) * 8
    book = state.ledger
    assert book.cash + book.contributed + book.realised_pnl + book.fees == 0
    assert (book.equity_peak, book.drawdown_ppm) == (book.cash, 0)
