"""The guard's loop, turned by hand between a kernel, a venue and workers that are real sockets.

Theory. ``Loop.step`` is all that the process does between two looks at the clock. The other ends
are channels that this test holds, so it decides who speaks, who does not read, and who is gone.

Not here: the judgement (``test_guard``), the session's whole tree (tests/dolphin/ops).
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dolphin.guard.__main__ import TURN_MESSAGES, Loop
from dolphin.link.channel import Channel, ChannelClosed, Listener, connect
from dolphin.link.config import PERMIT_KEY, VENUE_KEY, Config
from dolphin.link.permit import Permit, token_of
from dolphin.ops.supervise import ROOT
from tests.dolphin.shell.test_process import DEADLINE_S, config_in

PERMIT = Permit(
    permit_id=50, epoch=0, worker=2, instrument=3, side=1, reduce_only=False, market=True,
    quantity=10, limit_price=0, kind=1, expires_ns=2**62,
)  # fmt: skip
HELLO = {"do": "hello", "epoch": 0, "fence_confirmed": True, "floor": 10, "outstanding": []}


class Stage:
    """A guard's loop, and the listeners of the kernel and of the venue."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.loop = Loop(config)
        self.listeners: dict[str, Listener] = {}
        self.ends: dict[str, Channel] = {}
        self.heard: dict[str, list[dict[str, Any]]] = {"kernel": [], "venue": []}

    def raise_up(self, *names: str) -> None:
        """Listen as the kernel or the venue, and take the guard's connection."""
        for name in names:
            self.listeners[name] = Listener(self.config.socket(f"{name}.guard"))
        for name in names:
            self.ends[name] = self.until(self.listeners[name].accept)

    def strike_down(self, name: str) -> None:
        self.config.socket(f"{name}.guard").unlink()
        self.listeners.pop(name).close()
        self.ends.pop(name).close()

    def step(self) -> None:
        """One step of the guard; then take what the two have been told."""
        self.loop.step()
        for name, end in self.ends.items():
            while message := end.recv():
                self.heard[name].append(message)

    def until(self, what: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + DEADLINE_S
        while not (found := what()):
            assert time.monotonic() < deadline, "it never came about"
            self.step()
        return found

    def hears(self, name: str, **fields: Any) -> dict[str, Any]:
        """Step until kernel or venue has been told a message with these fields."""

        def found() -> dict[str, Any] | None:
            for message in self.heard[name]:
                if fields.items() <= message.items():
                    self.heard[name].remove(message)
                    return message
            return None

        message: dict[str, Any] = self.until(found)
        return message

    def client(self, name: str) -> Channel:
        return connect(self.config.socket(f"guard.{name}"), DEADLINE_S)

    def ask(self, client: Channel, **message: Any) -> dict[str, Any]:
        assert client.send(message)
        answer: dict[str, Any] = self.until(client.recv)
        return answer

    def issue(self, permit: Permit = PERMIT) -> dict[str, Any]:
        token = token_of(permit, self.config.key(PERMIT_KEY))
        self.ends["kernel"].send({"do": "issued", "permit": token})
        return token


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    yield config_in(tmp_path, sockets)
    shutil.rmtree(sockets)


@pytest.fixture
def stage(config: Config) -> Stage:
    """A guard that has its kernel and its venue, and has been greeted."""
    made = Stage(config)
    made.raise_up("kernel", "venue")
    made.ends["kernel"].send(HELLO)
    made.hears("venue", do="cancel_all")
    return made


# --- kernel and venue -----------------------------------------------------------------------------


@pytest.mark.req("GRD-026")
def test_the_heart_beats_only_while_kernel_and_venue_are_there(config: Config) -> None:
    stage = Stage(config)
    stage.raise_up("kernel")
    for _ in range(3):
        stage.step()
    assert not [m for m in stage.heard["kernel"] if m["event"] == "RecordHeartbeat"]
    stage.raise_up("venue")
    assert stage.hears("kernel", event="RecordHeartbeat")["partition"] == 1
    assert stage.hears("venue", do="books")
    stage.strike_down("venue")
    stage.step()
    stage.heard["kernel"].clear()
    for _ in range(20):  # of 20 ms each: longer than a beat takes to come
        stage.step()
    assert stage.heard["kernel"] == []


@pytest.mark.req("GRD-026")
def test_the_venue_hears_the_key_before_anything_else(config: Config) -> None:
    stage = Stage(config)
    stage.raise_up("kernel", "venue")
    stage.until(lambda: stage.heard["venue"])
    assert stage.heard["venue"][0] == {"login": config.key(VENUE_KEY).hex()}


@pytest.mark.req("GRD-021", "GRD-027")
def test_a_kernel_that_comes_again_is_not_told_what_was_for_its_ancestor(stage: Stage) -> None:
    stage.strike_down("kernel")
    stage.step()
    stage.ends["venue"].send({"tells": "books", "cash": 1, "quantities": [0] * 8})
    stage.until(lambda: any(m["event"] == "ReconcileLedger" for m in stage.loop.guard.to_kernel))
    stage.raise_up("kernel")
    for _ in range(3):
        stage.step()
    assert not [m for m in stage.heard["kernel"] if m["event"] == "ReconcileLedger"]


@pytest.mark.req("GRD-027")
def test_a_venue_that_comes_again_gets_the_key_and_then_what_waited(stage: Stage) -> None:
    stage.strike_down("venue")
    stage.step()
    stage.heard["venue"].clear()
    stage.ends["kernel"].send({"do": "cancel_all", "epoch": 1})
    for _ in range(2):
        stage.step()
    stage.raise_up("venue")
    stage.hears("venue", do="cancel_all")
    assert "login" in stage.heard["venue"][0]


@pytest.mark.req("GRD-028")
def test_what_is_no_message_of_kernel_or_venue_is_passed_over(stage: Stage) -> None:
    for name in ("kernel", "venue"):
        end = stage.ends[name]
        raw = socket.socket(fileno=os.dup(end.fileno()))
        raw.send(b"{")
    stage.ends["venue"].send({"tells": "books", "cash": 7, "quantities": [0] * 8})
    assert stage.hears("kernel", event="ReconcileLedger")["cash"] == 7
    stage.ends["kernel"].send({"ok": False, "reason": "MALFORMED"})
    stage.ends["kernel"].send({"ok": True})
    stage.until(lambda: stage.loop.guard.counts["kernel_refused_MALFORMED"] == 1)


@pytest.mark.req("GRD-027")
@pytest.mark.parametrize("name", ["kernel", "venue"])
def test_who_does_not_read_is_not_waited_for_and_hears_all_in_order(
    stage: Stage, name: str
) -> None:
    deaf = stage.ends.pop(name)
    queue = stage.loop.guard.to_kernel if name == "kernel" else stage.loop.guard.to_venue
    queue.clear()
    sent = 0
    while not any("number" in message for message in queue):
        queue.append({"event": "CloseOrder", "number": sent, "filler": "x" * 4000})
        sent += 1
        stage.loop.step()
        assert sent < 10_000, "the socket has no end, so nothing was tested"
    other = stage.client("prober")
    assert stage.ask(other, permit=None)["reason"] == "FORGED", "the guard goes on"
    stage.ends[name] = deaf
    stage.hears(name, number=sent - 1)
    numbers = [m["number"] for m in stage.heard[name] if "number" in m]
    assert numbers == list(range(sent - 1))


@pytest.mark.req("GRD-027")
@pytest.mark.parametrize("name", ["kernel", "venue"])
def test_who_is_gone_when_it_is_told_is_tried_again(stage: Stage, name: str) -> None:
    """The end of the connection is found by a word that does not leave: EPIPE on the way out."""
    client = stage.client("prober")
    stage.ask(client, permit=None)
    token = stage.issue()
    stage.until(lambda: 50 in stage.loop.guard._issued)  # announced before the fall
    stage.strike_down(name)
    queue = stage.loop.guard.to_kernel if name == "kernel" else stage.loop.guard.to_venue
    queue.append({"event": "CloseOrder", "worker": 1})
    stage.loop._flush()
    assert queue, "nothing is lost"
    stage.raise_up(name)
    assert stage.ask(client, permit=token)["ok"] is True
    stage.hears("venue", do="submit", order=50)


# --- workers --------------------------------------------------------------------------------------


@pytest.mark.req("GRD-011", "GRD-016")
def test_an_order_passes_and_its_worker_hears_its_end(stage: Stage) -> None:
    worker = stage.client("prober")
    answer = stage.ask(worker, permit=stage.issue(), id=9)
    assert answer == {"ok": True, "order": 50, "id": 9}
    assert stage.hears("venue", do="submit")["order"] == 50
    stage.ends["venue"].send({"tells": "done", "order": 50})
    assert stage.until(worker.recv) == {"over": 50, "left": 10}
    assert stage.hears("kernel", event="CloseOrder")["worker"] == 2


@pytest.mark.req("GRD-012", "GRD-029")
def test_the_kernel_is_heard_before_every_order(stage: Stage) -> None:
    """Fence and order wait together, the order was there first: the fence is heard first."""
    worker, token = stage.client("prober"), stage.issue()
    stage.ask(worker, permit=None)
    worker.send({"permit": token})
    stage.ends["kernel"].send({"do": "cancel_all", "epoch": 1})
    assert stage.until(worker.recv) == {"ok": False, "reason": "STALE_EPOCH"}
    assert not [m for m in stage.heard["venue"] if m.get("do") == "submit"]


@pytest.mark.req("GRD-004", "GRD-009")
def test_a_path_speaks_for_its_own_workers(stage: Stage) -> None:
    alpha = stage.client("alpha")
    assert stage.ask(alpha, permit=stage.issue())["reason"] == "NOT_YOURS"
    assert stage.loop.guard.refusals["NOT_YOURS"] == 1


@pytest.mark.req("GRD-028")
def test_garbage_of_a_worker_is_an_answer_and_no_order(stage: Stage) -> None:
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    raw.connect(str(stage.config.socket("guard.prober")))
    for data in (b"{", b"[]", b"x" * 70_000):
        raw.send(data)
    channel = Channel(raw)
    for _ in range(3):
        assert stage.until(channel.recv) == {"ok": False, "reason": "FORGED"}
    assert stage.loop.guard.refusals["UNREADABLE"] == 3


@pytest.mark.req("GRD-030")
def test_a_worker_is_read_a_bounded_number_of_times_a_turn(stage: Stage) -> None:
    worker = stage.client("prober")
    stage.ask(worker, permit=None)
    refusals = stage.loop.guard.refusals
    before = refusals["FORGED"]
    for _ in range(TURN_MESSAGES + 5):
        worker.send({"permit": None})
    stage.step()
    assert refusals["FORGED"] - before == TURN_MESSAGES
    stage.step()
    assert refusals["FORGED"] - before == TURN_MESSAGES + 5


@pytest.mark.req("GRD-030")
def test_a_worker_that_comes_again_replaces_its_ancestor(stage: Stage) -> None:
    old = stage.client("prober")
    stage.ask(old, permit=None)
    new = stage.client("prober")
    assert stage.ask(new, permit=None)["reason"] == "FORGED"
    with pytest.raises(ChannelClosed):
        old.recv()


@pytest.mark.req("GRD-030")
def test_a_worker_that_is_gone_before_its_answer_costs_its_own_channel(stage: Stage) -> None:
    worker = stage.client("prober")
    stage.ask(worker, permit=None)
    worker.send({"permit": None})
    worker.close()
    for _ in range(2):
        stage.step()
    assert stage.loop.guard.refusals["FORGED"] == 2
    assert stage.ask(stage.client("alpha"), permit=None)["reason"] == "FORGED"


@pytest.mark.req("GRD-030")
def test_news_for_a_worker_that_is_gone_is_nobodys(stage: Stage) -> None:
    """Of two orders that end, one worker has left since, and the other was never connected."""
    worker = stage.client("prober")
    stage.ask(worker, permit=stage.issue())
    alpha = stage.client("alpha")
    other = replace(PERMIT, permit_id=51, worker=0)
    stage.ask(alpha, permit=stage.issue(other))
    alpha.close()
    stage.until(lambda: "alpha" not in stage.loop._clients)
    worker.close()
    stage.ends["venue"].send({"tells": "done", "order": 51})
    stage.ends["venue"].send({"tells": "done", "order": 50})
    stage.loop._hear_venue()
    stage.loop._flush()
    assert not stage.loop.guard.to_workers
    assert stage.loop._clients == {}
    assert stage.hears("kernel", event="CloseOrder", worker=0)
    assert stage.hears("kernel", event="CloseOrder", worker=2)


# --- the session's runner, and the process --------------------------------------------------------


@pytest.mark.req("GRD-025")
def test_the_runner_asks_for_drills_and_for_the_account(stage: Stage) -> None:
    runner = stage.client("runner")
    assert stage.ask(runner, drill="close_nothing", id=1) == {"ok": True, "id": 1}
    assert stage.ask(runner, drill="earthquake") == {"ok": False}
    account = stage.ask(runner, ask="account")["account"]
    assert account == {"refusals": {}, "counts": {}, "isolation": []}
    assert stage.hears("kernel", event="CloseOrder")["worker"] == 1


@pytest.mark.req("GRD-025")
def test_where_the_session_has_no_drills_the_runner_has_no_path(config: Config) -> None:
    loop = Loop(replace(config, drills=False))
    assert not config.socket("guard.runner").exists()
    assert config.socket("guard.alpha").exists()
    loop.stop()
    loop.run()
    assert json.loads((config.run / "guard.json").read_text())["refusals"] == {}


def start(config: Config) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dolphin.guard", str(config.run)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.children
@pytest.mark.req("GRD-031")
def test_the_process_guards_until_it_is_told_to_stop(config: Config) -> None:
    kernel, venue = (Listener(config.socket(f"{name}.guard")) for name in ("kernel", "venue"))
    process = start(config)
    try:
        worker = connect(config.socket("guard.prober"), DEADLINE_S)
        worker.send({"permit": None})
        assert worker.wait(DEADLINE_S) == {"ok": False, "reason": "FORGED"}
        ends = [one.accept() for one in (kernel, venue)]
        assert all(end is not None and end.wait(DEADLINE_S) for end in ends)
        process.send_signal(signal.SIGINT)
        worker.send({"permit": None})
        assert worker.wait(DEADLINE_S), "an interrupt at the terminal is the runner's"
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()
    account = json.loads((config.run / "guard.json").read_text())
    assert account["refusals"] == {"FORGED": 2}
    assert account["isolation"][0]["held"] is True


@pytest.mark.children
@pytest.mark.req("GRD-031", "LNK-017")
def test_without_its_key_the_guard_does_not_start(config: Config) -> None:
    (config.run / "keys" / VENUE_KEY).unlink()
    process = start(config)
    _out, said = process.communicate(timeout=60)
    assert process.returncode == 2
    (line,) = said.splitlines()
    assert line.startswith(f"guard: {config.run}: ")
    assert "venue.key: no key can be read here" in line


@pytest.mark.children
@pytest.mark.req("GRD-031", "LNK-008")
def test_where_it_cannot_listen_the_guard_may_be_started_again(config: Config) -> None:
    config.socket("guard.alpha").mkdir()
    process = start(config)
    _out, said = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = said.splitlines()
    assert line.startswith(f"guard: {config.run}: ")
