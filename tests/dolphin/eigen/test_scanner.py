"""The scanner: silent until the longest window is full, then equal to the formulas."""

from math import log, nan

import numpy as np
import pytest

from dolphin.eigen.scanner import EigenScanner
from dolphin.eigen.velocity import vel_div, velocity
from dolphin.feed.bar import Bar
from dolphin.feed.market import generate

WINDOWS = (10, 20, 40)


def test_velocity_by_hand() -> None:
    assert velocity(11.0, 10.0, 1) == pytest.approx(log(1.1))
    assert velocity(11.0, 10.0, 4) == pytest.approx(log(1.1) / 4)
    assert velocity(9.0, 10.0, 1) < 0
    assert vel_div([0.01, 5.0, 0.04]) == pytest.approx(-0.03)


def test_velocity_does_not_depend_on_the_number_of_symbols() -> None:
    assert velocity(22.0 / 50, 20.0 / 50, 1) == pytest.approx(velocity(22.0, 20.0, 1))


def test_nothing_before_the_longest_window_is_full() -> None:
    panel = generate(1, 400, symbols=5)
    scanner = EigenScanner(5, WINDOWS)
    for bar in panel.bars():
        reading = scanner.update(bar)
        # w returns need w + 1 closes; a velocity needs the eigenvalue of the bar before as well.
        assert bool(reading.lambda_max) == (bar.index >= WINDOWS[-1])
        assert reading.ready == (bar.index >= WINDOWS[-1] + 1)
        if bar.index > WINDOWS[-1] + 3:
            break


@pytest.mark.parametrize("lag", [1, 3])
def test_each_reading_is_the_formula_on_the_last_bars(lag: int) -> None:
    panel = generate(2, 400, symbols=6)
    scanner = EigenScanner(6, WINDOWS, lag)
    returns = np.diff(np.log(panel.closes), axis=0)

    def expected(row: int, window: int) -> float:
        matrix = np.corrcoef(returns[row - window : row].T)
        return float(np.linalg.eigvalsh(matrix)[-1])

    for bar in panel.bars():
        reading = scanner.update(bar)
        # Around the places where the buffer is moved (row 80, 120, …) an error would show.
        if bar.index in (50, 79, 80, 81, 119, 120, 121, 200, 399):
            now = [expected(bar.index, window) for window in WINDOWS]
            before = [expected(bar.index - lag, window) for window in WINDOWS]
            rates = [log(a / b) / lag for a, b in zip(now, before, strict=True)]
            assert reading.lambda_max == pytest.approx(now, rel=1e-9)
            assert reading.velocity == pytest.approx(rates, rel=1e-6, abs=1e-12)
            assert reading.vel_div == pytest.approx(rates[0] - rates[-1], rel=1e-6, abs=1e-12)


def test_gaps_are_reported_and_survived() -> None:
    panel = generate(3, 400, symbols=5)
    scanner = EigenScanner(5, WINDOWS)
    for bar in panel.bars():
        closes = tuple(
            nan if bar.index % 9 == 4 and i == 2 else c for i, c in enumerate(bar.closes)
        )
        reading = scanner.update(Bar(bar.index, bar.market_time_ms, closes))
        assert reading.gaps == (bar.index % 9 == 4)
    assert reading.gaps_total == len([index for index in range(400) if index % 9 == 4])
    assert reading.ready
    assert np.isfinite(reading.velocity).all()


def test_a_frozen_market_has_no_velocity() -> None:
    scanner = EigenScanner(3, (5, 10))
    for index in range(20):
        reading = scanner.update(Bar(index, index, (1.0, 2.0, 3.0)))
    assert reading.vel_div == 0.0
    assert reading.frozen == (3, 3)


@pytest.mark.parametrize("windows", [(50,), (50, 50), (150, 50), (2, 50), ()])
def test_windows_out_of_order_are_refused(windows: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"windows|expected"):
        EigenScanner(3, windows)


def test_a_lag_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="lag 0"):
        EigenScanner(3, (50, 150), 0)
