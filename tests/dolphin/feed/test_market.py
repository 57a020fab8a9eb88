"""The generated market: the same from the same seed, one crash, and calm enough to recover in."""

from itertools import pairwise

import numpy as np
import pytest

from dolphin.feed.market import AFTERMATH_BARS, CALM_MIN, generate, plan

BARS = 4_500
MINUTE_MS = 60_000
SEEDS = range(8)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert generate(5, 1_000).digest() == generate(5, 1_000).digest()


def test_control_another_seed_gives_another_market() -> None:
    assert generate(5, 1_000).digest() != generate(6, 1_000).digest()


def test_shape_and_names() -> None:
    panel = generate(0, 900, symbols=12, cadence_ms=5_000)
    assert panel.closes.shape == (900, 12)
    assert panel.symbols[0] == "BTCUSDT"
    assert len(set(panel.symbols)) == 12
    assert np.unique(np.diff(panel.timestamps)).tolist() == [5_000]
    assert np.isfinite(panel.closes).all()
    assert (panel.closes > 0).all()


@pytest.mark.parametrize(("bars", "cadence_ms"), [(400, 60_000), (4_500, 60_000), (9_000, 5_000)])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_plan_has_one_crash_and_fits(seed: int, bars: int, cadence_ms: int) -> None:
    episodes = plan(seed, bars, cadence_ms)
    assert [episode.kind for episode in episodes].count("crash") == 1
    assert all(episode.start > 0 and episode.start + episode.length <= bars for episode in episodes)
    calm_bars = CALM_MIN * 60_000 / cadence_ms
    for before, after in pairwise(episodes):
        assert after.start - (before.start + before.length) >= calm_bars


@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_of_4500_bars_has_every_kind(seed: int) -> None:
    kinds = {episode.kind for episode in plan(seed, BARS, MINUTE_MS)}
    assert kinds == {"thin", "shock", "burn", "crash", "squeeze"}


@pytest.mark.parametrize("seed", SEEDS)
def test_btcusdt_falls_by_a_tenth_within_an_hour_in_the_crash_alone(seed: int) -> None:
    logs = np.log(generate(seed, BARS).closes[:, 0])
    crash = next(each for each in plan(seed, BARS, MINUTE_MS) if each.kind == "crash")
    falls = np.flatnonzero(logs[60:] - logs[:-60] < np.log(0.9)) + 60
    assert len(falls), "no crash"
    assert falls.min() > crash.start
    assert falls.max() < crash.start + crash.length + AFTERMATH_BARS


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((-1, 1_000), "seed"),
        ((0, 10), "bars"),
        ((0, 1_000, 2), "symbols"),
        ((0, 1_000, 8, 0), "cad"),
    ],
)
def test_arguments_out_of_range(arguments: tuple[int, ...], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        generate(*arguments)
