"""The configuration's file as it lies on the disk, the names of the keys, each limit in its place.

Not here: files that cannot be used (``test_config``).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from dolphin.link.config import ANCHOR_KEY, PERMIT_KEY, VENUE_KEY, load
from kernel.constants import Profile
from kernel.state import Limits
from tests.dolphin.shell.test_process import config_in

TEXT = """{
 "id": "test",
 "folder": "FOLDER",
 "sockets": "FOLDER/sockets",
 "profile": "bible",
 "seed": 7,
 "windows": [
  5,
  10
 ],
 "data": null,
 "bars": 100,
 "lead_bars": 0,
 "bar_ms": 60000,
 "market_time_ms": 0,
 "symbols": [
  "BTCUSDT"
 ],
 "lot_ppm": [
  100
 ],
 "cash": 25000000000,
 "heartbeat_limit_ms": [
  11000,
  12000,
  13000,
  14000
 ],
 "cooling_ms": 1,
 "confirm_window_ms": 30000,
 "bar_ms_min": 1000,
 "book_stale_ms": 600000,
 "permit_ms": 1000,
 "tick_ms": 5,
 "deadline_ms": 1000,
 "stand_ins": {},
 "drills": true,
 "panel_sha256": "",
 "market_digest": ""
}
"""


@pytest.mark.req("LNK-017")
def test_each_key_lies_in_a_file_of_its_own_name(tmp_path: Path) -> None:
    assert (PERMIT_KEY, VENUE_KEY, ANCHOR_KEY) == ("permit.key", "venue.key", "anchor.key")
    config = config_in(tmp_path, str(tmp_path / "sockets"))
    (tmp_path / "keys" / "anchor.key").write_text("00ff\n")
    assert config.key(ANCHOR_KEY) == b"\x00\xff"


@pytest.mark.req("LNK-016")
def test_limits_gives_each_module_its_own_heartbeat_limit(tmp_path: Path) -> None:
    config = replace(
        config_in(tmp_path, str(tmp_path / "sockets")),
        heartbeat_limit_ms=[11_000, 12_000, 13_000, 14_000],
    )
    assert config.limits() == Limits(
        profile=Profile.BIBLE,
        live=False,
        grid_in_use=False,
        heartbeat_limit_ms=(11_000, 12_000, 13_000, 14_000),
        cooling_ms=1,
        confirm_window_ms=30_000,
        bar_ms_min=1_000,
        book_stale_ms=600_000,
    )


@pytest.mark.req("LNK-016")
def test_save_writes_one_field_a_line_in_the_order_of_the_class(tmp_path: Path) -> None:
    config = replace(
        config_in(tmp_path, str(tmp_path / "sockets")),
        seed=7,
        heartbeat_limit_ms=[11_000, 12_000, 13_000, 14_000],
    )
    config.save()
    text = (tmp_path / "config.json").read_text()
    assert text.replace(str(tmp_path), "FOLDER") == TEXT
    assert load(tmp_path) == config
