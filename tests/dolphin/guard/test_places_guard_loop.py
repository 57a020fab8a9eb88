"""The guard's loop at its edges: when it wakes, when it beats, whom it lets go, what it leaves.

Theory. What a turn waits for is asked of its own poller, just before it waits, through the
interpreter's profiler: every part stays the real one, and no clock decides. When a beat is due is
seen by a clock that is turned by hand.

Not here: the loop on a good day (``test_guard_loop``), its figures
(``test_figures_guard_process``).
"""

import os
import select
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from dolphin.guard import __main__ as guard_process
from dolphin.guard.__main__ import Loop
from dolphin.link.channel import Channel
from dolphin.link.config import Config
from dolphin.link.process import Measure
from tests.dolphin.guard.test_guard_loop import Stage, config, stage

__all__ = ["config", "stage"]

Poller = type(select.poll())


def watched(do: Callable[[], Any], watch: Callable[[FrameType, str, Any], None]) -> None:
    """Do something while ``watch`` hears of every call."""
    sys.setprofile(watch)
    try:
        do()
    finally:
        sys.setprofile(None)


def awaited(loop: Loop) -> list[tuple[int, int]]:
    """Take one turn; return what is ready, and for what, when the loop begins to wait."""
    found: list[tuple[int, int]] = []

    def watch(_frame: FrameType, what: str, called: Any) -> None:
        if what == "c_call" and isinstance(called.__self__, Poller):
            found.extend(called.__self__.poll(0) if called.__name__ == "poll" else ())

    watched(loop._turn, watch)
    return found


def open_end(channel: Channel | None) -> Channel:
    assert channel is not None
    return channel


# --- turns ----------------------------------------------------------------------------------------


@pytest.mark.req("GRD-027", "GRD-030")
@pytest.mark.parametrize("who", ["nobody", "newcomer", "worker", "kernel", "venue"])
def test_a_turn_waits_until_somebody_speaks_and_for_no_other_reason_wakes(
    stage: Stage, who: str
) -> None:
    worker, other = stage.client("prober"), stage.client("alpha")
    for each in (worker, other):
        stage.ask(each, permit=None)
    loop = stage.loop
    speaks: dict[str, tuple[Callable[[], object], Callable[[], int]]] = {
        "newcomer": (lambda: stage.client("alpha"), loop._listeners["alpha"].fileno),
        "worker": (lambda: worker.send({}), loop._clients["prober"].fileno),
        "kernel": (lambda: stage.ends["kernel"].send({}), open_end(loop._kernel).fileno),
        "venue": (lambda: stage.ends["venue"].send({}), open_end(loop._venue).fileno),
    }
    expected = []
    if who != "nobody":
        speak, fileno = speaks[who]
        expected = [(fileno(), select.POLLIN)]
        kept = speak()  # a channel that nobody holds would be closed
        assert kept
    assert awaited(loop) == expected


@pytest.mark.req("GRD-027")
def test_who_is_not_there_is_tried_and_not_slept_for(config: Config) -> None:
    called: list[str] = []

    def watch(_frame: FrameType, what: str, function: Any) -> None:
        if what == "c_call":
            called.append(function.__name__)

    watched(Loop(config)._connect, watch)
    assert called.count("connect") == 2
    assert "sleep" not in called


class Clock:
    """A clock that is turned by hand; it stands in for ``time`` in the loop's module alone."""

    ms = 0.0

    def monotonic(self) -> float:
        return self.ms / 1000

    def monotonic_ns(self) -> int:
        return int(self.ms * 1_000_000)


@pytest.mark.req("GRD-026")
def test_control_by_a_clock_that_stands_a_beat_comes_when_it_is_due_and_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(guard_process, "time", clock)
    stage = Stage(config)
    stage.raise_up("kernel", "venue")
    heard = []
    for ms in (0.0, 249.9, 250.0, 250.0, 499.9, 500.0, 749.9, 750.0, 999.9, 1000.0):
        clock.ms = ms
        stage.step()
        beats = stage.heard["kernel"].count({"event": "RecordHeartbeat", "partition": 1})
        heard.append((ms, beats, stage.heard["venue"].count({"do": "books"})))
        for messages in stage.heard.values():
            messages.clear()
    assert [each for each in heard if each[1:] != (0, 0)] == [
        (0.0, 1, 1), (250.0, 1, 0), (500.0, 1, 1), (750.0, 1, 0), (1000.0, 1, 1),
    ]  # fmt: skip


# --- kernel and venue -----------------------------------------------------------------------------


@pytest.mark.req("GRD-028", "GRD-029")
def test_what_stands_behind_no_message_is_heard_in_the_same_turn(stage: Stage) -> None:
    ends = stage.ends
    for end in ends.values():
        with socket.socket(fileno=os.dup(end.fileno())) as raw:
            raw.send(b"{")
    ends["kernel"].send({"do": "cancel_all", "epoch": 1})
    ends["venue"].send(
        {"tells": "fill", "order": 9, "worker": 2, "quantity": 1, "price": 1, "fee": 0}
    )
    stage.loop._hear_kernel()
    assert stage.loop.guard.epoch == 1
    stage.loop._hear_venue()
    assert stage.loop.guard.counts["fills"] == 1


@pytest.mark.req("GRD-028")
def test_every_refusal_of_the_kernels_is_counted_by_its_reason(stage: Stage) -> None:
    for reason in ("MALFORMED", "STALE", "MALFORMED", "MALFORMED"):
        stage.ends["kernel"].send({"ok": False, "reason": reason})
    stage.loop._hear_kernel()
    expected = {"kernel_refused_MALFORMED": 3, "kernel_refused_STALE": 1}
    assert dict(stage.loop.guard.counts) == expected


# --- workers --------------------------------------------------------------------------------------


@pytest.mark.req("GRD-030")
def test_the_channel_of_an_ancestor_is_closed_and_not_only_forgotten(stage: Stage) -> None:
    workers = [stage.client("prober")]
    stage.ask(workers[0], permit=None)
    ancestor = stage.loop._clients["prober"]
    workers.append(stage.client("prober"))
    stage.ask(workers[1], permit=None)
    assert stage.loop._clients["prober"] is not ancestor
    assert ancestor.fileno() == -1


@pytest.mark.req("GRD-030")
def test_a_worker_that_leaves_between_its_answer_and_its_news_is_let_go_once(stage: Stage) -> None:
    worker = stage.client("prober")
    stage.ask(worker, permit=stage.issue())
    stage.ends["venue"].send({"tells": "done", "order": 50})
    worker.send({"permit": None})

    def leave(frame: FrameType, what: str, _called: Any) -> None:
        if what == "call" and frame.f_code.co_qualname == "Loop._flush":
            worker.close()

    watched(stage.loop._turn, leave)
    assert stage.loop._clients == {}
    assert stage.loop.guard.refusals == {"FORGED": 1}
    assert stage.hears("kernel", event="CloseOrder", worker=2)


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.req("GRD-031")
def test_a_loop_that_is_told_to_stop_leaves_its_account_a_line_for_each_figure(
    config: Config,
) -> None:
    loop = Loop(config)
    stopped = [loop.stopped]
    loop.guard.refusals["FORGED"] = 2
    loop.isolation = [Measure("memory locked", True, "mlockall")]
    loop.stop()
    stopped.append(loop.stopped)
    loop.run()
    assert stopped == [False, True]
    text = (config.run / "guard.json").read_text()
    assert text.splitlines() == [
        "{",
        ' "refusals": {',
        '  "FORGED": 2',
        " },",
        ' "counts": {},',
        ' "isolation": [',
        "  {",
        '   "measure": "memory locked",',
        '   "held": true,',
        '   "detail": "mlockall"',
        "  }",
        " ]",
        "}",
    ]
    assert text.endswith("}\n")
