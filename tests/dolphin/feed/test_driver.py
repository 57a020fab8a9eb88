"""The driver's listeners: what a worker says and is no message costs its own answer, nothing more.

Not here: bars in step (tests/dolphin/ops/test_session.py), channels and turns (tests/dolphin/link).
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dolphin.feed.bar import Bar
from dolphin.feed.driver import Hub, played
from dolphin.link.channel import connect
from dolphin.link.codec import encode
from dolphin.link.messages import BARS, FROM_ALPHA, AlphaDone, BarDone, PlayBar
from tests.dolphin.said import Heard
from tests.dolphin.shell.test_process import config_in

SOON_S = 5.0


def nothing() -> None:
    pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    yield Hub(config_in(tmp_path, sockets), {"alpha": FROM_ALPHA}, nothing)
    shutil.rmtree(sockets)


def alpha_of(hub: Hub, folder: Path) -> Heard:
    """Connect as the alpha, and be let in."""
    path = next(rank.listener for rank in hub.loop.ranks if rank.listener)
    name = path._socket.getsockname()
    client = Heard(connect(Path(name), SOON_S), BARS)
    end = time.monotonic() + SOON_S
    while not hub.there("alpha"):
        assert time.monotonic() < end
        hub.pump(0.01)
    return client


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"AlphaDone","bar":1,"watch":7}',
        b'{"type":"AlphaDone","bar":1,"vel_div":NaN}',
        b'{"type":"SensorsDone","bar":1,"forewarner_status":0,"book_silent":true,"shock":false}',
        b"\xff",
    ],
    ids=range(4),
)
def test_what_a_worker_says_and_is_no_answer_is_counted_and_the_next_is_heard(
    hub: Hub, tmp_path: Path, data: bytes
) -> None:
    alpha = alpha_of(hub, tmp_path)
    alpha.send(data)
    assert hub.get("alpha", BarDone, lambda done: done.bar == 1, 0.05) is None
    assert hub.counts == {"unreadable_alpha": 1}
    alpha.send(AlphaDone(bar=1, watch=(7,)))
    assert hub.get("alpha", BarDone, lambda done: done.bar == 1, SOON_S) == AlphaDone(
        bar=1, watch=(7,)
    )


def test_an_answer_to_another_bar_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    alpha = alpha_of(hub, tmp_path)
    for bar in (1, 2):
        alpha.send(AlphaDone(bar=bar))
    assert hub.get("alpha", BarDone, lambda done: done.bar == 2, SOON_S) == AlphaDone(bar=2)
    assert hub.get("alpha", BarDone, lambda done: done.bar == 1, 0.05) is None


def test_a_respawned_worker_hears_nothing_of_what_was_its_ancestors(
    hub: Hub, tmp_path: Path
) -> None:
    old = alpha_of(hub, tmp_path)
    assert hub.fresh == ["alpha"]
    hub.put("alpha", PlayBar(bar=1, market_time_ms=1, closes=()))
    assert old.recv() == PlayBar(bar=1, market_time_ms=1, closes=())
    old.close()
    hub.pump(0.05)
    hub.put("alpha", PlayBar(bar=2, market_time_ms=2, closes=()))
    new = alpha_of(hub, tmp_path)
    assert hub.fresh == ["alpha", "alpha"]
    assert new.recv() is None


def test_a_gap_travels_as_none_and_comes_back_as_one() -> None:
    bar = Bar(index=4, market_time_ms=9, closes=(1.5, float("nan")))
    message = played(bar, wind_down=True)
    assert message == PlayBar(bar=4, market_time_ms=9, closes=(1.5, None), wind_down=True)
    assert BARS.decode(encode(message)) == message
