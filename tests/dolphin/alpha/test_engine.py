"""The engine on a market of its own: when it asks, what it asks, and when it keeps quiet."""

from itertools import pairwise
from math import nan

import pytest

from dolphin.alpha.engine import FLAT, LOOKBACK, AlphaEngine, Intent, PositionView
from dolphin.alpha.signal import THRESHOLD
from dolphin.feed.bar import Bar
from dolphin.feed.market import generate
from dolphin.feed.panel import Panel

WINDOWS = (20, 40, 60, 150)
HIBERNATE, TURTLE, STALKER, APEX = range(4)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return generate(4, 900, symbols=8)


def intents(engine: AlphaEngine, panel: Panel, view: PositionView, posture: int) -> list[Intent]:
    return [intent for bar in panel.bars() for intent in engine.on_bar(bar, view, posture)]


def test_entries_are_the_signals_after_the_lookback(panel: Panel) -> None:
    engine = AlphaEngine(panel.symbols, WINDOWS)
    signals = []
    asked = []
    for bar in panel.bars():
        asked += engine.on_bar(bar, FLAT, APEX)
        assert engine.reading is not None
        divergence = engine.reading.vel_div
        if divergence is not None and divergence < THRESHOLD and bar.index + 1 >= LOOKBACK:
            signals.append(bar.index)
    assert len(signals) > 10
    assert [intent.bar_index for intent in asked] == signals
    assert engine.signals == len(signals)
    for intent in asked:
        assert (intent.kind, intent.instrument, intent.side) == ("entry", "BTCUSDT", -1)
        assert intent.fraction_ppm == 200_000
        assert 500_000 <= intent.leverage_ppm <= 5_000_000
        assert intent.reason == "VEL_DIV"


def test_the_same_bars_give_the_same_intents(panel: Panel) -> None:
    first = intents(AlphaEngine(panel.symbols, WINDOWS), panel, FLAT, APEX)
    assert first == intents(AlphaEngine(panel.symbols, WINDOWS), panel, FLAT, APEX)


def test_a_forbidding_posture_silences_only_on_request(panel: Panel) -> None:
    asking = intents(AlphaEngine(panel.symbols, WINDOWS), panel, FLAT, HIBERNATE)
    quiet = AlphaEngine(panel.symbols, WINDOWS, ask_when_forbidden=False)
    assert len(asking) > 10
    assert intents(quiet, panel, FLAT, TURTLE) == []


def test_stalker_asks_for_no_more_than_two(panel: Panel) -> None:
    free = intents(AlphaEngine(panel.symbols, WINDOWS), panel, FLAT, APEX)
    capped = intents(AlphaEngine(panel.symbols, WINDOWS), panel, FLAT, STALKER)
    assert max(intent.leverage_ppm for intent in free) > 2_000_000
    assert max(intent.leverage_ppm for intent in capped) == 2_000_000


def test_nothing_is_asked_while_an_order_is_out(panel: Panel) -> None:
    view = PositionView(quantity=0, entry_price=0.0, entry_bar=0, order_out=True)
    assert intents(AlphaEngine(panel.symbols, WINDOWS), panel, view, APEX) == []


def test_nothing_is_asked_without_a_price(panel: Panel) -> None:
    engine = AlphaEngine(panel.symbols, WINDOWS)
    asked = []
    for bar in panel.bars():
        blind = Bar(bar.index, bar.market_time_ms, (nan, *bar.closes[1:]))
        asked += engine.on_bar(blind, FLAT, APEX)
    assert engine.signals > 10
    assert asked == []


def flat_bars(price: float, count: int, start: int = 0) -> list[Bar]:
    return [Bar(start + i, (start + i) * 60_000, (price, 1.0)) for i in range(count)]


@pytest.mark.parametrize(
    ("quantity", "price", "held", "expected"),
    [
        (-5, 99.05, 1, ("FIXED_TP", 1)),
        (-5, 99.06, 1, None),
        (-5, 100.5, 119, None),
        (-5, 100.5, 120, ("MAX_HOLD", 1)),
        (5, 100.95, 1, ("FIXED_TP", -1)),
    ],
)
def test_exits(quantity: int, price: float, held: int, expected: tuple[str, int] | None) -> None:
    engine = AlphaEngine(("BTCUSDT", "ETHUSDT"), (5, 10))
    view = PositionView(quantity, entry_price=100.0, entry_bar=1_000, order_out=False)
    asked = engine.on_bar(Bar(1_000 + held, 0, (price, 1.0)), view, TURTLE)
    assert [(intent.reason, intent.side) for intent in asked] == ([expected] if expected else [])
    assert all(intent.kind == "exit" for intent in asked)


def test_in_hibernate_the_exit_is_the_kernels() -> None:
    engine = AlphaEngine(("BTCUSDT", "ETHUSDT"), (5, 10))
    view = PositionView(-5, entry_price=100.0, entry_bar=0, order_out=False)
    assert engine.on_bar(Bar(500, 0, (90.0, 1.0)), view, HIBERNATE) == []


def test_no_entry_on_the_bar_that_sees_the_exit(panel: Panel) -> None:
    asked = intents(AlphaEngine(panel.symbols, WINDOWS), panel, FLAT, APEX)
    pair = next(
        first.bar_index
        for first, second in pairwise(asked)
        if second.bar_index == first.bar_index + 1
    )
    engine = AlphaEngine(panel.symbols, WINDOWS)
    held = PositionView(-5, entry_price=1e9, entry_bar=pair - 1, order_out=False)
    seen = []
    for bar in panel.bars():
        view = held if bar.index == pair - 1 else FLAT
        seen += [intent.bar_index for intent in engine.on_bar(bar, view, APEX)]
    assert pair not in seen
    assert pair + 1 in seen


def test_the_engine_needs_its_instrument() -> None:
    with pytest.raises(ValueError, match="BTCUSDT is not among"):
        AlphaEngine(("ETHUSDT", "SOLUSDT"))


def test_the_lookback_outlasts_short_windows(panel: Panel) -> None:
    asked = intents(AlphaEngine(panel.symbols, (5, 10)), panel, FLAT, APEX)
    assert LOOKBACK - 1 <= asked[0].bar_index < LOOKBACK + 20
