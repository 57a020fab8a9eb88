"""Returns over gaps: nothing is invented, nothing is lost, everything is counted."""

from math import log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin.feed.bar import Bar
from dolphin.feed.gaps import LogReturns


def test_the_move_falls_on_the_bar_that_ends_the_gap() -> None:
    returns = LogReturns(2)
    assert returns.update(Bar(0, 0, (100.0, 10.0))) is None
    gap = returns.update(Bar(1, 1, (nan, 11.0)))
    assert gap is not None
    assert gap.values.tolist() == pytest.approx([0.0, log(1.1)])
    assert gap.closes.tolist() == [100.0, 11.0]
    assert gap.gaps == (0,)
    end = returns.update(Bar(2, 2, (121.0, 11.0)))
    assert end is not None
    assert end.values.tolist() == pytest.approx([log(1.21), 0.0])
    assert end.gaps == ()
    assert returns.gaps_total == 1


def test_before_its_first_close_a_symbol_rests() -> None:
    returns = LogReturns(1)
    returns.update(Bar(0, 0, (nan,)))
    for index, close in enumerate((nan, 50.0), start=1):
        now = returns.update(Bar(index, index, (close,)))
        assert now is not None
        assert now.values.tolist() == [0.0]
    assert returns.gaps_total == 2


def test_a_bar_of_another_width_is_an_error() -> None:
    with pytest.raises(ValueError, match="bar 3: 2 closes, expected 1"):
        LogReturns(1).update(Bar(3, 0, (1.0, 2.0)))


@given(st.lists(st.one_of(st.just(nan), st.floats(0.01, 1e6)), min_size=2, max_size=60))
def test_returns_add_up_to_the_whole_move(closes: list[float]) -> None:
    returns = LogReturns(1)
    total = 0.0
    for index, close in enumerate(closes):
        now = returns.update(Bar(index, index, (close,)))
        total += 0.0 if now is None else float(now.values[0])
    known = [close for close in closes if not np.isnan(close)]
    assert total == pytest.approx(log(known[-1] / known[0]) if known else 0.0, abs=1e-9)
    assert returns.gaps_total == len(closes) - len(known)
