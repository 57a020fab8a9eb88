"""The stand-ins: calm is near one, each disturbance reaches the sensor it is meant for."""

from dataclasses import astuple
from math import log, nan
from random import Random

import pytest

from dolphin.feed.bar import Bar
from dolphin.feed.market import Episode, generate, plan
from dolphin.feed.panel import Panel
from dolphin.sensors import book, dvol, forewarner
from dolphin.sensors.book import BookReading, BookStandIn, quality_ppm
from dolphin.sensors.dvol import ShockReading, ShockStandIn
from dolphin.sensors.forewarner import OK, ORANGE, RED, ForewarnerReading, ForewarnerStandIn
from dolphin.sensors.standins import STAND_INS
from dolphin.sensors.trailing import RATIO_MAX, Trailing, ratio, rms

BARS = 4_500
SEED = 3
MICRO_CALM_PPM = 930_000  # the kernel's factor is 0.3 + 0.7 × this ≥ 0.95


@pytest.fixture(scope="module")
def panel() -> Panel:
    return generate(SEED, BARS)


@pytest.fixture(scope="module")
def episodes() -> tuple[Episode, ...]:
    return plan(SEED, BARS, 60_000)


@pytest.fixture(scope="module")
def warnings(panel: Panel) -> list[ForewarnerReading]:
    stand_in = ForewarnerStandIn(len(panel.symbols))
    return [stand_in.update(bar) for bar in panel.bars()]


@pytest.fixture(scope="module")
def books(panel: Panel) -> list[BookReading]:
    stand_in = BookStandIn(0)
    return [reading for bar in panel.bars() if (reading := stand_in.update(bar)) is not None]


@pytest.fixture(scope="module")
def shocks(panel: Panel) -> list[ShockReading]:
    stand_in = ShockStandIn(len(panel.symbols))
    return [stand_in.update(bar) for bar in panel.bars()]


def worst(reading: BookReading) -> int:
    return min(reading.depth_quality_ppm, reading.fill_probability_ppm)


def calm(episodes: tuple[Episode, ...], from_bar: int) -> list[int]:
    """Return the bars from ``from_bar`` on that lie in no episode nor within 150 after one."""
    busy = {bar for each in episodes for bar in range(each.start, each.start + each.length + 150)}
    return [bar for bar in range(from_bar, BARS) if bar not in busy]


def within(episodes: tuple[Episode, ...], kind: str) -> list[range]:
    return [range(e.start, e.start + e.length) for e in episodes if e.kind == kind]


# --- trailing -----------------------------------------------------------------------------------


def test_trailing_forgets() -> None:
    window = Trailing(3)
    assert window.median() == 0.0
    for value in (100.0, 1.0, 2.0, 3.0):
        window.push(value)
    assert len(window) == 3
    assert window.median() == 2.0


def test_ratio_to_nothing() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(0.0, 0.0) == 1.0
    assert ratio(1e-9, 0.0) == RATIO_MAX
    assert rms(Trailing(2).values) == 0.0


# --- calm ---------------------------------------------------------------------------------------


def test_calm_leaves_the_book_good_enough_for_apex(
    books: list[BookReading], episodes: tuple[Episode, ...]
) -> None:
    bars = calm(episodes, 200)
    poor = [bar for bar in bars if worst(books[bar]) < MICRO_CALM_PPM]
    assert len(bars) > 1_000
    assert len(poor) <= len(bars) // 100
    # The specification profile's deadbands: 200 ms of latency, 50 ms of jitter.
    late = [bar for bar in bars if books[bar].latency_ms > 200 or books[bar].jitter_ms > 50]
    assert len(late) <= len(bars) // 100


def test_calm_is_no_warning_and_no_shock(
    warnings: list[ForewarnerReading], shocks: list[ShockReading], episodes: tuple[Episode, ...]
) -> None:
    bars = calm(episodes, 200)
    assert sum(warnings[bar].status != OK for bar in bars) <= len(bars) // 50
    assert not any(shocks[bar].shock for bar in bars)


def test_readings_vary_in_calm(books: list[BookReading], episodes: tuple[Episode, ...]) -> None:
    assert len({astuple(books[bar])[1:] for bar in calm(episodes, 200)}) > 1_000


# --- disturbances -------------------------------------------------------------------------------


def test_a_thin_book_is_seen_by_the_book_alone(
    books: list[BookReading],
    warnings: list[ForewarnerReading],
    shocks: list[ShockReading],
    episodes: tuple[Episode, ...],
) -> None:
    found = within(episodes, "thin")
    assert found
    for bars in found:
        assert min(worst(books[bar]) for bar in bars) < 500_000
        assert all(warnings[bar].status == OK for bar in bars)
        assert not any(shocks[bar].shock for bar in bars)


def test_a_shock_is_reported_once(
    shocks: list[ShockReading], books: list[BookReading], episodes: tuple[Episode, ...]
) -> None:
    found = within(episodes, "shock")
    assert found
    for bars in found:
        assert sum(shocks[bar].shock for bar in bars) == 1
        assert all(worst(books[bar]) > 714_285 for bar in bars)


def test_a_burn_is_seen_by_the_forewarner(
    warnings: list[ForewarnerReading],
    shocks: list[ShockReading],
    books: list[BookReading],
    episodes: tuple[Episode, ...],
) -> None:
    found = within(episodes, "burn")
    assert found
    for bars in found:
        assert any(warnings[bar].status != OK for bar in bars)
        assert not any(shocks[bar].shock for bar in bars)
        assert all(worst(books[bar]) > 714_285 for bar in bars)


def test_a_crash_is_seen_by_all(
    warnings: list[ForewarnerReading],
    shocks: list[ShockReading],
    books: list[BookReading],
    episodes: tuple[Episode, ...],
) -> None:
    (bars,) = within(episodes, "crash")
    assert any(warnings[bar].status == RED for bar in bars)
    assert any(shocks[bar].shock for bar in bars)
    assert min(worst(books[bar]) for bar in bars) < 200_000


# --- rules --------------------------------------------------------------------------------------


def test_not_warm_is_not_trusted(
    warnings: list[ForewarnerReading], books: list[BookReading], shocks: list[ShockReading]
) -> None:
    assert all(warnings[bar].status == ORANGE for bar in range(forewarner.WARMUP_BARS))
    assert all(worst(books[bar]) == 0 for bar in range(book.WARMUP_BARS))
    assert not any(shocks[bar].shock for bar in range(dvol.WARMUP_BARS))


def test_a_bar_without_a_price_is_silence() -> None:
    stand_in = BookStandIn(0)
    assert stand_in.update(Bar(0, 0, (100.0,))) is not None
    assert stand_in.update(Bar(1, 1, (nan,))) is None
    assert stand_in.silent_bars == 1


def test_quality_by_hand() -> None:
    assert quality_ppm(0.0) == 1_000_000
    assert quality_ppm(5.0) == 500_000
    assert quality_ppm(2.5) == 984_615  # 1/(1 + 1/64)
    assert quality_ppm(10.0) == 15_384  # 1/65
    assert quality_ppm(RATIO_MAX) == 0


def jumpy(size: int, jumps: dict[int, float]) -> list[Bar]:
    """Return bars of one symbol that moves by ±1e-4, and by the given log moves at given bars."""
    level, bars = log(100.0), []
    for index in range(size):
        level += jumps.get(index, 1e-4 if index % 2 else -1e-4)
        bars.append(Bar(index, index * 60_000, (2.718281828459045**level,)))
    return bars


def fired(bars: list[Bar]) -> list[int]:
    stand_in = ShockStandIn(1)
    return [bar.index for bar in bars if stand_in.update(bar).shock]


def test_shock_threshold_by_hand() -> None:
    # rms of three moves, two of 1e-4 and one of j, is five times 1e-4 at j = √73 × 1e-4.
    assert fired(jumpy(120, {100: 8.55e-4})) == [100]
    assert fired(jumpy(120, {100: 8.53e-4})) == []


def test_a_second_shock_waits_for_a_quiet_quarter_of_an_hour() -> None:
    assert fired(jumpy(160, {100: 1e-3, 110: 1e-3})) == [100]
    assert fired(jumpy(160, {100: 1e-3, 116: 1e-3})) == [100, 116]
    assert fired(jumpy(160, {100: 1e-3, 110: 2e-3})) == [100, 110]


def test_every_stand_in_is_named_in_one_line() -> None:
    assert [name for name, _ in STAND_INS] == [forewarner.NAME, book.NAME, dvol.NAME]
    assert all(name.endswith("-stand-in") for name, _ in STAND_INS)
    assert all(description and "\n" not in description for _, description in STAND_INS)


@pytest.mark.parametrize(
    ("probability", "score", "expected"),
    [
        (0.10, 0.0, OK),
        (0.11, 1.0, ORANGE),
        (0.0, -0.01, ORANGE),
        (0.25, -1.0, ORANGE),
        (0.26, 1.0, RED),
        (0.0, -1.01, RED),
    ],
)
def test_the_gate_of_bible_12(probability: float, score: float, expected: int) -> None:
    assert forewarner.status_of(probability, score) == expected


@pytest.mark.parametrize(("pulses", "expected"), [(4, OK), (9, ORANGE)])
def test_tail_moves_alone_are_a_warning(pulses: int, expected: int) -> None:
    # Moves of one half to one, then some of two among sixty: the volatility is hardly more, a
    # deviation or two, but more than a tenth of the bars lie beyond the old 99th percentile.
    chance = Random(7)
    jumps = {index: chance.choice([-1, 1]) * chance.uniform(5e-5, 1e-4) for index in range(1_500)}
    jumps |= {1_440 + 6 * number: 2e-4 for number in range(pulses)}
    stand_in = ForewarnerStandIn(1)
    readings = [stand_in.update(bar) for bar in jumpy(1_500, jumps)]
    assert readings[-1].envelope_score > 0.0
    assert readings[-1].status == expected


@pytest.mark.parametrize("kind", ["thin", "crash"])
def test_latency_and_jitter_grow_with_trouble(
    kind: str, books: list[BookReading], episodes: tuple[Episode, ...]
) -> None:
    usual = sorted(books[bar].latency_ms for bar in calm(episodes, 200))
    usual_jitter = sorted(books[bar].jitter_ms for bar in calm(episodes, 200))
    for bars in within(episodes, kind):
        assert max(books[bar].latency_ms for bar in bars) > 3 * usual[len(usual) // 2]
        assert max(books[bar].jitter_ms for bar in bars) > 10 * usual_jitter[len(usual) // 2]
    assert 20 <= usual[len(usual) // 2] <= 40
    assert 5 <= usual_jitter[len(usual) // 2] <= 10


def test_latency_stays_within_the_kernels_range() -> None:
    stand_in = BookStandIn(0)
    readings = [stand_in.update(Bar(i, i, (100.0,))) for i in range(80)]
    last = stand_in.update(Bar(80, 80, (150.0,)))  # from a frozen market: a ratio of RATIO_MAX
    assert all(reading is not None for reading in readings)
    assert last is not None
    assert (last.latency_ms, last.jitter_ms) == (60_000, 60_000)
    assert worst(last) == 0
