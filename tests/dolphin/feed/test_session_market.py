"""What is judged is what is played: the same names, times and closes, or nothing.

Not here: judging a panel (``test_panel``), a whole session (tests/dolphin/ops).
"""

from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from dolphin.feed.market import generate
from dolphin.feed.panel import Panel, PanelError
from dolphin.feed.session_market import file_sha256, judged_market, load_market, market_of
from dolphin.link.config import Config
from tests.dolphin.ops.test_collect import config


def written(market: Panel, path: Path) -> Path:
    """Write a market as a panel; return its path."""
    columns = {name: market.closes[:, place] for place, name in enumerate(market.symbols)}
    pl.DataFrame({"timestamp": market.timestamps, **columns}).write_parquet(path)
    return path


def judged(path: Path) -> tuple[Config, str]:
    """A session's configuration on a panel, and the panel's hash, as the runner makes them."""
    panel, sha256 = judged_market(str(path), 0, 0, 100)
    return replace(config(), data=str(path), market_digest=panel.digest()), sha256


def test_the_panel_that_was_judged_is_played(tmp_path: Path) -> None:
    path = written(generate(1, 400, 4, 60_000), tmp_path / "panel.parquet")
    made, sha256 = judged(path)
    assert sha256 == file_sha256(str(path))
    assert market_of(made).digest() == made.market_digest


@pytest.mark.parametrize("what", ["closes", "names", "rows"])
def test_control_a_panel_that_changed_is_not_played(tmp_path: Path, what: str) -> None:
    path = written(generate(1, 400, 4, 60_000), tmp_path / "panel.parquet")
    made, _sha256 = judged(path)
    frame = pl.read_parquet(path)
    changed = {
        "closes": frame.with_columns(pl.col("BTCUSDT") * 1.000001),
        "names": frame.rename({frame.columns[-1]: "NEWUSDT"}),
        "rows": frame.head(399),
    }[what]
    changed.write_parquet(path)
    with pytest.raises(PanelError, match="changed since it was judged"):
        market_of(made)


def test_a_configuration_that_names_no_market_plays_none(tmp_path: Path) -> None:
    path = written(generate(1, 400, 4, 60_000), tmp_path / "panel.parquet")
    with pytest.raises(PanelError, match="changed since it was judged"):
        market_of(replace(judged(path)[0], market_digest=""))


def test_the_generated_market_is_the_one_that_was_judged() -> None:
    digest = load_market(None, 7, 500, 1).digest()
    made = replace(config(), seed=7, bars=500, market_digest=digest)
    assert market_of(made).digest() == digest
    with pytest.raises(PanelError, match="the generated market: changed"):
        market_of(replace(made, seed=8))
