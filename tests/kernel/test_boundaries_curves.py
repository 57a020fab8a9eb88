"""Digits and corners of the curves, at the few points where an error of one would show.

``test_curves.py`` looks at every input, in processes of their own, for minutes of processor time.
Here the points are the ends: each value of each digit, and the input before it.
"""

from collections.abc import Callable

import pytest
from flint import arb, ctx

from kernel.curves import capital, micro_bible
from kernel.fixed import (
    DECADE_MAX,
    DECADE_UNIT,
    ERROR_MAX,
    EXP_MAX,
    EXP_UNIT,
    ONE,
    decade_down,
    exp_down,
)

ctx.prec = 512


def corners(digits: int) -> list[int]:
    """Each value of each base-8 digit alone, the number before it, and all digits at their last."""
    alone = [digit * 8**place for place in range(digits) for digit in range(1, 8)]
    return sorted({0, *alone, *(each - 1 for each in alone), 8**digits - 1})


@pytest.mark.parametrize(
    ("down", "digits", "rate"),
    [
        (exp_down, 9, -arb(1) / EXP_UNIT),
        (decade_down, 5, -arb(10).log() / DECADE_UNIT),
    ],
    ids=["exp_down", "decade_down"],
)
def test_every_digit_has_its_weight(down: Callable[[int], int], digits: int, rate: arb) -> None:
    assert corners(digits)[-1] == {9: EXP_MAX, 5: DECADE_MAX}[digits]
    for n in corners(digits):
        true = ONE * (rate * n).exp()
        assert down(n) <= true < down(n) + ERROR_MAX + 1, n
        assert type(down(n)) is int


def test_a_factor_is_an_integer_where_it_does_not_come_out_even() -> None:
    assert [micro_bible(depth, 1_000_000) for depth in (0, 1, 2, 3, 10, 11)] == [
        300_000, 300_000, 300_001, 300_002, 300_007, 300_007,
    ]  # fmt: skip
    assert type(micro_bible(1, 1)) is int


def test_the_two_forms_of_capital_meet_in_the_middle() -> None:
    assert [capital(drawdown) for drawdown in (119_999, 120_000, 120_001)] == [
        500_007, 500_000, 499_992,
    ]  # fmt: skip
