"""What an event may say, to the unit: each field's least and greatest value, and one beyond.

The bounds are written here as numbers, not taken from the kernel's constants.
"""

from dataclasses import replace

import pytest

from kernel import events as ev
from kernel.constants import Posture
from kernel.outcome import Reason, Refused
from kernel.state import State
from kernel.step import step
from tests.kernel.sessions import fresh, order, until

PPM = 1_000_000
TIME_MS = 4_000_000_000_000
PRICE = 100_000_000_000
INSTRUMENT = 65_535
LOTS = 1_000_000
CASH = 10**15
WHY = 2**63 - 1
LIMIT = order(market=False, limit_price=100)
BOOK = ev.ReportBook(depth_quality_ppm=1, fill_probability_ppm=1, latency_ms=1, jitter_ms=1)
FILL = ev.ReportFill(worker=0, quantity=1, price=1, fee=0)
TRIP = ev.TripKillSwitch(cause=1, operator=0, reason=0)
ACTS = (
    ev.RequestRearm(operator=1, reason=0),
    ev.ConfirmRearm(operator=1, reason=0),
    ev.RequestPeakReset(operator=1, reason=0),
    ev.ConfirmPeakReset(operator=1, reason=0),
)
req = pytest.mark.req
# requirement, an event in range, field, least, greatest
ROWS: list[tuple[pytest.MarkDecorator, ev.Event, str, int, int]] = [
    (req("KRN-RNG-001"), ev.AdvanceTime(process_time_ms=0), "process_time_ms", 0, TIME_MS),
    (req("KRN-RNG-002"), ev.CloseBar(market_time_ms=0), "market_time_ms", 0, TIME_MS),
    (req("KRN-RNG-003"), ev.RecordHeartbeat(partition=0), "partition", 0, 3),
    (req("KRN-RNG-004"), ev.ReportGrid(members=0), "members", 0, 1_000),
    (req("KRN-RNG-005"), ev.ReportForewarner(status=0), "status", 0, 2),
    (req("KRN-RNG-006"), BOOK, "depth_quality_ppm", 0, PPM),
    (req("KRN-RNG-006"), BOOK, "fill_probability_ppm", 0, PPM),
    (req("KRN-RNG-006"), BOOK, "latency_ms", 0, 60_000),
    (req("KRN-RNG-006"), BOOK, "jitter_ms", 0, 60_000),
    (req("KRN-RNG-007"), ev.UpdateMark(instrument=1, price=1), "instrument", 1, INSTRUMENT),
    (req("KRN-RNG-007"), ev.UpdateMark(instrument=1, price=1), "price", 1, PRICE),
    (req("KRN-RNG-008"), ev.ClaimInstrument(worker=0, instrument=1), "worker", 0, 7),
    (req("KRN-RNG-008"), ev.ClaimInstrument(worker=0, instrument=1), "instrument", 0, INSTRUMENT),
    (req("KRN-RNG-009"), LIMIT, "worker", 0, 7),
    (req("KRN-RNG-009"), LIMIT, "instrument", 1, INSTRUMENT),
    (req("KRN-RNG-009"), LIMIT, "quantity", 1, LOTS),
    (req("KRN-RNG-009"), LIMIT, "leverage_ppm", 1, 100_000_000),
    # A limit order's least price is 1: 0 is a market order's.
    (req("KRN-RNG-009"), LIMIT, "limit_price", 1, PRICE),
    (req("KRN-RNG-012"), FILL, "worker", 0, 7),
    (req("KRN-RNG-012"), FILL, "quantity", 1, LOTS),
    (req("KRN-RNG-012"), FILL, "price", 1, PRICE),
    (req("KRN-RNG-012"), FILL, "fee", 0, 1_000_000_000_000),
    (req("KRN-RNG-013"), ev.CloseOrder(worker=0), "worker", 0, 7),
    (req("KRN-RNG-014"), ev.ReconcileLedger(cash=0, quantities=(0,) * 8), "cash", -CASH, CASH),
    (req("KRN-RNG-015"), TRIP, "cause", 1, 3),
    (req("KRN-RNG-015"), TRIP, "operator", 0, 65_535),
    (req("KRN-RNG-015"), TRIP, "reason", 0, WHY),
    *[(req("KRN-RNG-016"), act, "operator", 1, 65_535) for act in ACTS],
    *[(req("KRN-RNG-016"), act, "reason", 0, WHY) for act in ACTS],
]


@pytest.fixture(scope="module")
def states() -> list[State]:
    return [fresh(), until(Posture.APEX)]


def malformed(state: State, event: ev.Event) -> bool:
    return step(state, event) == Refused(Reason.MALFORMED)


@pytest.mark.req("KRN-RNG-019")
@pytest.mark.parametrize(
    ("event", "field", "least", "most"),
    [pytest.param(*row, marks=mark, id=f"{type(row[0]).__name__}.{row[1]}") for mark, *row in ROWS],
)
def test_each_bound_to_the_unit(
    states: list[State], event: ev.Event, field: str, least: int, most: int
) -> None:
    for state in states:
        for value in (least, most):
            said = replace(event, **{field: value})  # type: ignore[arg-type]  # a field by name
            assert not malformed(state, said), said
        for value in (least - 1, most + 1):
            said = replace(event, **{field: value})  # type: ignore[arg-type]  # a field by name
            assert malformed(state, said), said


@pytest.mark.req("KRN-RNG-010", "KRN-RNG-009")
@pytest.mark.parametrize(
    ("market", "limit_price", "fits"),
    [
        (True, 0, True), (True, 1, False), (True, PRICE, False), (True, -1, False),
        (False, 0, False), (False, 1, True), (False, PRICE, True), (False, -1, False),
    ],
)  # fmt: skip
def test_a_market_order_has_no_limit_and_a_limit_order_has_one(
    states: list[State], market: bool, limit_price: int, fits: bool
) -> None:
    for state in states:
        said = order(market=market, limit_price=limit_price)
        assert malformed(state, said) == (not fits)


@pytest.mark.req("KRN-RNG-011")
@pytest.mark.parametrize("side", [-2, -1, 0, 1, 2, 10**30])
def test_an_order_has_one_of_two_sides(states: list[State], side: int) -> None:
    for state in states:
        assert malformed(state, order(side=side)) == (side not in (-1, 1))


@pytest.mark.req("KRN-RNG-017")
def test_what_is_no_event_of_the_kernels_is_malformed(states: list[State]) -> None:
    class Obey(ev.Event):
        pass

    for state in states:
        assert malformed(state, Obey())
        assert malformed(state, ev.Event())
