"""Signal, size and exit: the sources' own figures (bible 4.1, 6.1, 6.2, 7.1)."""

from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin.alpha.exits import ExitReason, evaluate, gain
from dolphin.alpha.signal import generate, strength
from dolphin.alpha.sizing import Size, leverage, lots, size

STALKER, APEX = 2, 3


@pytest.mark.parametrize(
    ("vel_div", "expected"),
    [(0.0, 0.0), (-0.02, 0.0), (-0.035, 0.5), (-0.05, 1.0), (-0.075, 1.0)],
)
def test_strength(vel_div: float, expected: float) -> None:
    assert strength(vel_div) == pytest.approx(expected)


def test_the_threshold_itself_is_no_signal() -> None:
    assert generate(-0.02) is None
    assert generate(nextafter(-0.02, -1)) is not None
    assert generate(0.5) is None
    assert generate(float("nan")) is None


@pytest.mark.parametrize(
    ("vel_div", "confidence", "extreme"),
    [(-0.0200001, 0.50, False), (-0.035, 0.70, False), (-0.05, 0.90, True), (-1.0, 0.90, True)],
)
def test_confidence(vel_div: float, confidence: float, extreme: bool) -> None:
    signal = generate(vel_div)
    assert signal is not None
    assert signal.confidence == pytest.approx(confidence, abs=1e-4)
    assert signal.extreme is extreme


@pytest.mark.parametrize(("score", "expected"), [(0.0, 0.5), (0.5, 1.0625), (1.0, 5.0)])
def test_leverage_is_cubic(score: float, expected: float) -> None:
    assert leverage(score) == pytest.approx(expected)


def test_stalker_caps_what_is_asked() -> None:
    assert size(1.0, APEX) == Size(200_000, 5_000_000)
    assert size(1.0, STALKER) == Size(200_000, 2_000_000)
    assert size(0.5, STALKER) == Size(200_000, 1_062_500)


def test_lots_by_hand() -> None:
    # 25,000 USDT × 0.20 × 5 = 25,000 USDT of notional; a lot of 0.001 BTC at 60,000 costs 60.
    assert lots(25_000_000_000, Size(200_000, 5_000_000), 60_000_000) == 416
    assert lots(-5, Size(200_000, 5_000_000), 60_000_000) == 0
    assert lots(25_000_000_000, Size(200_000, 5_000_000), 0) == 0


@given(
    st.integers(0, 10**15),
    st.floats(0, 1),
    st.sampled_from([STALKER, APEX]),
    st.integers(1, 10**11),
)
def test_lots_stay_within_the_kernels_fraction(
    capital: int, score: float, posture: int, price: int
) -> None:
    ceiling = {STALKER: 2, APEX: 6}[posture]
    wanted = lots(capital, size(score, posture), price)
    assert wanted * price <= capital * ceiling // 5


@pytest.mark.parametrize(
    ("quantity", "entry", "price", "expected"),
    [(-3, 100.0, 99.0, 0.01), (-3, 100.0, 101.0, -0.01), (2, 100.0, 101.0, 0.01)],
)
def test_gain(quantity: int, entry: float, price: float, expected: float) -> None:
    assert gain(quantity, entry, price) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("now", "bars", "expected"),
    [
        (0.0095, 0, ExitReason.FIXED_TP),
        (0.0094, 119, None),
        (0.0094, 120, ExitReason.MAX_HOLD),
        (0.0200, 500, ExitReason.FIXED_TP),
        (-0.5, 119, None),
    ],
)
def test_exit_conditions_in_their_order(now: float, bars: int, expected: ExitReason | None) -> None:
    assert evaluate(now, bars) is expected
