"""A client at the edges of its deadlines: nothing after the last moment, everything before it.

Not here: what listeners do to a client (``test_client``), channels (``test_places_channel``).
"""

from pathlib import Path

import pytest

from dolphin.link.channel import Listener
from dolphin.link.client import Client
from tests.dolphin.link.test_places_channel import SHORT_S, Seconds, shortest_s, taken_s

SOON_S = 5.0


@pytest.mark.req("LNK-010")
def test_ask_throws_away_an_answer_that_comes_when_no_time_is_left(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "s")
    client = Client(tmp_path / "s", SOON_S)
    channel = listener.accept()
    assert channel is not None
    seconds = Seconds(0.0, then=lambda: channel.send({"id": 1}))
    assert client.ask({"q": 1}, seconds) is None
    assert channel.recv() == {"q": 1, "id": 1}
    assert len(seconds.looks) == 1
    listener.close()


@pytest.mark.req("LNK-010")
@pytest.mark.parametrize("left", [0.5, 1.0])
def test_ask_takes_an_answer_that_comes_while_time_is_left(tmp_path: Path, left: float) -> None:
    listener = Listener(tmp_path / "s")
    client = Client(tmp_path / "s", SOON_S)
    channel = listener.accept()
    assert channel is not None
    seconds = Seconds(left, then=lambda: channel.send({"id": 1, "right": True}))
    assert client.ask({"q": 1}, seconds) == {"id": 1, "right": True}
    listener.close()


@pytest.mark.req("LNK-006", "LNK-011")
def test_again_waits_for_nobody_unless_it_is_told_how_long(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listener = Listener(path)
    client = Client(path, SOON_S)
    client.lose()
    listener.close()
    assert client.again() is False
    waited = taken_s(lambda: client.again(SHORT_S))
    assert waited >= SHORT_S
    assert shortest_s(client.again) * 5 < waited
