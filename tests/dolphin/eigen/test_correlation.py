"""Correlation and its largest eigenvalue, by hand where that can be done, by bounds elsewhere."""

from random import Random

import numpy as np
import pytest

from dolphin.eigen.correlation import correlation_matrix, lambda_max


def test_two_symbols_by_hand() -> None:
    # Deviations (-1, 0, 1) and (-1, 1, 0): covariance 1, variances 2 and 2, so r = 1/2.
    window = np.array([[1.0, 4.0], [2.0, 6.0], [3.0, 5.0]])
    matrix, frozen = correlation_matrix(window)
    assert matrix == pytest.approx(np.array([[1.0, 0.5], [0.5, 1.0]]))
    assert frozen == 0
    assert lambda_max(matrix) == pytest.approx(1.5)


def test_symbols_that_move_as_one_carry_everything() -> None:
    moves = np.array([0.01, -0.02, 0.03, 0.005])
    window = np.outer(moves, [1.0, 2.0, 0.5])
    assert lambda_max(correlation_matrix(window)[0]) == pytest.approx(3.0)


def test_symbols_without_common_move_carry_one_each() -> None:
    window = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
    assert lambda_max(correlation_matrix(window)[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("level", [0.0, 0.1, 0.7])
def test_a_symbol_that_rests_is_counted_and_uncorrelated(level: float) -> None:
    window = np.array([[0.1, level, 0.2], [0.3, level, 0.1], [0.2, level, 0.3]])
    matrix, frozen = correlation_matrix(window)
    assert frozen == 1
    assert matrix[1].tolist() == [0.0, 1.0, 0.0]


def test_bounds_and_scale(rng: Random) -> None:
    chance = np.random.default_rng(rng.randrange(2**32))
    for _ in range(20):
        symbols = int(chance.integers(2, 20))
        window = chance.standard_normal((60, symbols)) + chance.standard_normal((60, 1))
        value = lambda_max(correlation_matrix(window)[0])
        assert 1.0 <= value <= symbols
        scaled = window * chance.uniform(1e-6, 10, symbols) + chance.uniform(-1, 1, symbols)
        assert lambda_max(correlation_matrix(scaled)[0]) == pytest.approx(value, rel=1e-6)
