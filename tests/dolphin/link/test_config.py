"""A session's configuration: comes back as it was saved; what cannot be used is one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dolphin.link.config import PERMIT_KEY, BadConfig, Config, load
from kernel.constants import Profile
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
    assert list(limits.heartbeat_limit_ms) == saved.heartbeat_limit_ms
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


@pytest.mark.req("LNK-017")
@pytest.mark.parametrize("spoil", [gone, folder, binary, words, cut, other_fields, a_list])
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
