"""A lot fits its price, and what has no price in the kernel's range is no gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin.feed.lots import (
    FIRST_CLOSE_MAX,
    FIRST_CLOSE_MIN,
    LOT_PPM_MAX,
    close_range,
    lot_ppm,
    price_per_lot,
)
from kernel.constants import PRICE_MAX

CLOSES = st.floats(FIRST_CLOSE_MIN, FIRST_CLOSE_MAX)


@given(CLOSES)
def test_a_lot_costs_one_to_ten_usdt_or_is_a_millionth_of_a_coin(close: float) -> None:
    lot = lot_ppm(close)
    assert 1 <= lot <= LOT_PPM_MAX
    price = price_per_lot(close, lot)
    assert price >= 1_000_000
    assert price <= 10_000_000 or lot == 1


@given(CLOSES, st.floats(1e-14, 1e13))
def test_a_close_has_a_price_exactly_within_the_range(first: float, close: float) -> None:
    lot = lot_ppm(first)
    least, most = close_range(lot)
    if least <= close <= most:
        assert 1 <= price_per_lot(close, lot) <= PRICE_MAX
    elif close < 0.49 * least or close > 1.000001 * most:
        with pytest.raises(ValueError, match="outside the kernel's range"):
            price_per_lot(close, lot)


@pytest.mark.parametrize("close", [0.0, 1e-310, 9e-13, 1.1e11, float("inf"), float("nan"), -1.0])
def test_a_first_close_without_a_lot_is_refused(close: float) -> None:
    with pytest.raises(ValueError, match="expected 1e-12 to 1e"):
        lot_ppm(close)
