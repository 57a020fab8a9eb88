"""A session's configuration: comes back as it was saved; what cannot be used is one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from dolphin.link.config import (
    ANCHOR_KEY,
    PERMIT_KEY,
    VENUE_KEY,
    BadConfig,
    Config,
    configured,
    load,
)
from kernel.constants import Profile
from kernel.state import Limits
from tests.dolphin.shell.test_process import config_in


@pytest.fixture
def saved(tmp_path: Path) -> Config:
    return config_in(tmp_path, str(tmp_path / "sockets"))


@pytest.mark.req("LNK-016")
def test_a_configuration_comes_back_and_is_this_users_alone(saved: Config) -> None:
    assert load(saved.folder) == saved
    assert (saved.run / "config.json").stat().st_mode & 0o777 == 0o600
    assert saved.socket("kernel.alpha") == Path(saved.sockets) / "kernel.alpha"


@pytest.mark.req("LNK-016")
def test_the_limits_are_the_configurations_and_a_replay_is_never_live(saved: Config) -> None:
    limits = saved.limits()
    assert limits.profile == Profile.BIBLE
    assert (limits.live, limits.grid_in_use) == (False, False)
    assert limits.heartbeat_limit_ms == saved.heartbeat_limit_ms
    assert (limits.cooling_ms, limits.confirm_window_ms) == (1, 30_000)
    assert (limits.bar_ms_min, limits.book_stale_ms) == (1_000, 600_000)


def gone(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def words(path: Path) -> None:
    path.write_text("not this")


def cut(path: Path) -> None:
    path.write_text(path.read_text()[:-9])


def other_fields(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"more": 1}))


def a_list(path: Path) -> None:
    path.write_text("[1]")


def deep(path: Path) -> None:
    path.write_text('{"z":' + "[" * 100_000)


def twice(path: Path) -> None:
    path.write_text(path.read_text().replace('"seed": 0,', '"seed": 0,\n "seed": 1,'))


@pytest.mark.req("LNK-017")
@pytest.mark.parametrize(
    "spoil", [gone, folder, binary, words, cut, other_fields, a_list, deep, twice]
)
def test_a_configuration_that_cannot_be_used_is_named(
    saved: Config, spoil: Callable[[Path], None]
) -> None:
    spoil(saved.run / "config.json")
    with pytest.raises(BadConfig, match=r"config\.json: .*(read|expected)") as found:
        load(saved.folder)
    assert len(str(found.value).splitlines()) == 1


@pytest.mark.req("LNK-017")
@pytest.mark.parametrize("spoil", [gone, folder, binary, words])
def test_a_key_that_cannot_be_used_is_named_and_not_shown(
    saved: Config, spoil: Callable[[Path], None]
) -> None:
    assert len(saved.key(PERMIT_KEY)) == 32
    spoil(saved.run / "keys" / PERMIT_KEY)
    with pytest.raises(BadConfig, match=r"permit\.key: (no key|a key)") as found:
        saved.key(PERMIT_KEY)
    assert "not this" not in str(found.value)


@pytest.mark.req("LNK-017")
@pytest.mark.parametrize("length", [0, 31, 33, 65])
def test_a_key_of_another_length_is_none(saved: Config, length: int) -> None:
    path = saved.run / "keys" / PERMIT_KEY
    path.write_text("ab" * length)
    with pytest.raises(BadConfig) as found:
        saved.key(PERMIT_KEY)
    assert str(found.value) == f"{path}: a key of 32 bytes expected"


WRONG = [
    ("seed", True, "$.seed"),
    ("seed", 1.0, "$.seed"),
    ("seed", 2**63, "$.seed"),
    ("profile", "brave", "$.profile"),
    ("windows", [0], "$.windows"),
    ("heartbeat_limit_ms", [1, 2, 3], "$.heartbeat_limit_ms"),
    ("tick_ms", 0, "$.tick_ms"),
    ("demonstration", None, "$.demonstration"),
    ("stand_ins", {"a": 1}, "$.stand_ins"),
    ("more", 1, "`more`"),
]


@pytest.mark.req("LNK-017")
@pytest.mark.parametrize(("name", "value", "says"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_field_is_named(saved: Config, name: str, value: object, says: str) -> None:
    path = saved.run / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    with pytest.raises(BadConfig) as found:
        load(saved.folder)
    assert str(found.value).startswith(f"{path}: the fields of a session expected (")
    assert says in str(found.value)


@pytest.mark.req("LNK-017")
def test_a_missing_field_is_named(saved: Config) -> None:
    path = saved.run / "config.json"
    document = json.loads(path.read_text())
    del document["cash"]
    path.write_text(json.dumps(document))
    with pytest.raises(BadConfig, match="`cash`"):
        load(saved.folder)


@pytest.mark.req("LNK-030")
@pytest.mark.parametrize("words", [[], ["one", "two"], ["/nowhere"]])
def test_a_process_without_its_configuration_ends_with_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as found:
        configured("venue", ["venue", *words])
    assert found.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("venue: ")
    assert "/nowhere" in line or "the folder of a session expected" in line


@pytest.mark.req("LNK-030")
def test_a_process_finds_its_configuration_by_its_one_word(saved: Config) -> None:
    assert configured("venue", ["venue", saved.folder]) == saved


# --- the file itself ------------------------------------------------------------------------------

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
 "demonstration": true,
 "panel_sha256": "",
 "market_digest": ""
}
"""


@pytest.mark.req("LNK-017")
def test_each_key_lies_in_a_file_of_its_own_name(tmp_path: Path) -> None:
    assert (PERMIT_KEY, VENUE_KEY, ANCHOR_KEY) == ("permit.key", "venue.key", "anchor.key")
    config = config_in(tmp_path, str(tmp_path / "sockets"))
    (tmp_path / "keys" / "anchor.key").write_text("00ff" * 16 + "\n")
    assert config.key(ANCHOR_KEY) == b"\x00\xff" * 16


@pytest.mark.req("LNK-016")
def test_limits_gives_each_module_its_own_heartbeat_limit(tmp_path: Path) -> None:
    config = replace(
        config_in(tmp_path, str(tmp_path / "sockets")),
        heartbeat_limit_ms=(11_000, 12_000, 13_000, 14_000),
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
        heartbeat_limit_ms=(11_000, 12_000, 13_000, 14_000),
    )
    config.save()
    text = (tmp_path / "config.json").read_text()
    assert text.replace(str(tmp_path), "FOLDER") == TEXT
    assert load(tmp_path) == config


@pytest.mark.req("LNK-016")
def test_a_path_that_is_not_utf8_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    config = replace(config_in(tmp_path, str(tmp_path / "sockets")), data="/p\udcff.parquet")
    with pytest.raises(BadConfig, match="in UTF-8 expected"):
        config.save()
    assert load(tmp_path).data is None, "what was saved before is still there"
