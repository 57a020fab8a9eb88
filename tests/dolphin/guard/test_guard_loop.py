"""The guard's loop, turned by hand between a kernel, a venue and workers that are real sockets.

Theory. ``Loop.step`` is all that the process does between two looks at the clock. The other ends
are channels that this test holds, so it decides who speaks, who does not read, and who is gone.

Not here: the judgement (``test_guard``), the session's whole tree (tests/dolphin/ops).
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.guard import __main__ as guard_process
from dolphin.guard.__main__ import TURN_MESSAGES, GuardProcess
from dolphin.link import loop as link_loop
from dolphin.link.channel import ChannelClosed, Listener, connect
from dolphin.link.codec import Message, encode
from dolphin.link.config import PERMIT_KEY, VENUE_KEY, Config
from dolphin.link.messages import (
    FROM_GUARD,
    TO_KERNEL,
    TO_VENUE,
    Accepted,
    AskBooks,
    Books,
    CancelAll,
    CloseOrder,
    EndOrders,
    Filled,
    Hello,
    Issued,
    Login,
    OrderEnded,
    OrderOver,
    Passed,
    Permit,
    PresentPermit,
    ReconcileLedger,
    RecordHeartbeat,
    Refused,
    Submit,
)
from dolphin.link.permit import token_of
from dolphin.link.process import Measure
from dolphin.ops.supervise import ROOT
from tests.dolphin.said import ORDER, Heard, client_of
from tests.dolphin.shell.test_process import DEADLINE_S, config_in

PERMIT = Permit(
    permit_id=50, epoch=0, order=replace(ORDER, worker=2, instrument=3), kind=1, expires_ns=2**62
)
HELLO = Hello(epoch=0, fence_confirmed=True, floor=10, outstanding=())
FORGED = PresentPermit(permit=token_of(PERMIT, bytes(32)))
BOOKS = Books(cash=7, quantities=(0,) * 8)
ANSWERS = {"kernel": TO_KERNEL, "venue": TO_VENUE}


class Stage:
    """A guard's process, and the listeners of the kernel and of the venue."""

    def __init__(self, config: Config, kind: type[GuardProcess] = GuardProcess) -> None:
        self.config = config
        self.loop = kind(config)
        self.listeners: dict[str, Listener] = {}
        self.ends: dict[str, Heard] = {}
        self.heard: dict[str, list[Any]] = {"kernel": [], "venue": []}

    def raise_up(self, *names: str) -> None:
        """Listen as the kernel or the venue, and take the guard's connection."""
        for name in names:
            self.listeners[name] = Listener(self.config.socket(f"{name}.guard"))
        for name in names:
            self.ends[name] = Heard(self.until(self.listeners[name].accept), ANSWERS[name])

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

    def hears(self, name: str, kind: type[Message], **fields: Any) -> Any:
        """Step until kernel or venue has been told a message of the kind, with these fields."""

        def found() -> Any:
            for message in self.heard[name]:
                own = [getattr(message, key, None) for key in fields]
                if isinstance(message, kind) and own == list(fields.values()):
                    self.heard[name].remove(message)
                    return message
            return None

        return self.until(found)

    def client(self, name: str) -> Heard:
        return Heard(connect(self.config.socket(f"guard.{name}"), DEADLINE_S), FROM_GUARD)

    def ask(self, client: Heard, message: Message = FORGED) -> Any:
        assert client.send(message)
        return self.until(client.recv)

    def issue(self, permit: Permit = PERMIT) -> PresentPermit:
        """Have the kernel announce a permit; return the word with which it is presented."""
        token = token_of(permit, self.config.key(PERMIT_KEY))
        self.ends["kernel"].send(Issued(permit=token))
        return PresentPermit(permit=token)


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
    made.hears("venue", EndOrders)
    return made


# --- kernel and venue -----------------------------------------------------------------------------


@pytest.mark.req("GRD-026")
def test_the_heart_beats_only_while_kernel_and_venue_are_there(config: Config) -> None:
    stage = Stage(config)
    stage.raise_up("kernel")
    for _ in range(3):
        stage.step()
    assert not [m for m in stage.heard["kernel"] if isinstance(m, RecordHeartbeat)]
    stage.raise_up("venue")
    assert stage.hears("kernel", RecordHeartbeat).partition == 1
    assert stage.hears("venue", AskBooks)
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
    assert stage.heard["venue"][0] == Login(key=config.key(VENUE_KEY).hex())


@pytest.mark.req("GRD-021", "GRD-027")
def test_a_kernel_that_comes_again_is_not_told_what_was_for_its_ancestor(stage: Stage) -> None:
    stage.strike_down("kernel")
    stage.step()
    stage.loop.kernel.outbox.clear()
    stage.ends["venue"].send(BOOKS)
    stage.until(lambda: stage.loop.kernel.outbox)
    stage.raise_up("kernel")
    for _ in range(3):
        stage.step()
    assert not [m for m in stage.heard["kernel"] if isinstance(m, ReconcileLedger)]


@pytest.mark.req("GRD-027")
def test_a_venue_that_comes_again_gets_the_key_and_then_what_waited(stage: Stage) -> None:
    stage.strike_down("venue")
    stage.step()
    stage.heard["venue"].clear()
    stage.ends["kernel"].send(CancelAll(epoch=1))
    for _ in range(2):
        stage.step()
    stage.raise_up("venue")
    stage.hears("venue", EndOrders)
    assert isinstance(stage.heard["venue"][0], Login)


@pytest.mark.req("GRD-028")
def test_what_is_no_message_of_kernel_or_venue_is_passed_over_and_counted(stage: Stage) -> None:
    for data in (b"{", b"\xff", b'{"type":"Obey"}', b"x" * 70_000):
        for name in ("kernel", "venue"):
            stage.ends[name].send(data)
    stage.ends["venue"].send(BOOKS)
    assert stage.hears("kernel", ReconcileLedger).cash == 7
    stage.ends["kernel"].send(Refused(reason="MALFORMED"))
    stage.ends["kernel"].send(Accepted())
    stage.until(lambda: stage.loop.guard.counts["kernel_refused_MALFORMED"] == 1)
    assert stage.loop.guard.refusals == {"UNREADABLE": 8}


@pytest.mark.req("GRD-028", "GRD-029")
def test_what_stands_behind_no_message_is_heard_in_the_same_turn(stage: Stage) -> None:
    for end in stage.ends.values():
        end.send(b"{")
    stage.ends["kernel"].send(CancelAll(epoch=1))
    stage.ends["venue"].send(Filled(order_id=9, worker=2, quantity=1, price=1, fee=0))
    stage.loop.step()
    assert (stage.loop.guard.epoch, stage.loop.guard.counts["fills"]) == (1, 1)


@pytest.mark.req("GRD-027")
@pytest.mark.parametrize("name", ["kernel", "venue"])
def test_who_does_not_read_is_not_waited_for_and_hears_all_in_order(
    stage: Stage, name: str
) -> None:
    deaf = stage.ends.pop(name)
    kernel = name == "kernel"
    rank = stage.loop.kernel if kernel else stage.loop.venue
    queue: Any = stage.loop.guard.to_kernel if kernel else stage.loop.guard.to_venue
    sent = 0
    while not rank.outbox:
        for number in range(sent, sent + 100):
            queue.append(CloseOrder(worker=number) if kernel else EndOrders(sequence=number))
        sent += 100
        stage.loop.step()
        assert sent < 10_000, "the socket has no end, so nothing was tested"
    assert stage.ask(stage.client("prober")).reason == "FORGED", "the guard goes on"
    stage.ends[name] = deaf
    told = "worker" if kernel else "sequence"
    kind = CloseOrder if kernel else EndOrders
    stage.hears(name, kind, **{told: sent - 1})
    numbers = [getattr(m, told) for m in stage.heard[name] if isinstance(m, kind)]
    assert numbers[-sent + 1 :] == list(range(sent - 1))


@pytest.mark.req("GRD-027")
def test_what_has_no_room_to_wait_keeps_its_place(stage: Stage) -> None:
    stage.strike_down("venue")
    stage.step()
    venue, queue = stage.loop.venue, stage.loop.guard.to_venue
    venue.outbox.clear()
    venue.outbox_max = 2
    queue.extend(EndOrders(sequence=number) for number in range(1, 5))
    stage.step()
    assert (len(venue.outbox), list(queue)) == (2, [EndOrders(sequence=3), EndOrders(sequence=4)])
    stage.heard["venue"].clear()
    venue.outbox_max = 10
    stage.raise_up("venue")
    stage.hears("venue", EndOrders, sequence=4)
    told = [m for m in stage.heard["venue"] if isinstance(m, EndOrders)]
    assert [m.sequence for m in told] == [1, 2, 3]


@pytest.mark.req("GRD-027")
@pytest.mark.parametrize("name", ["kernel", "venue"])
def test_who_is_gone_when_it_is_told_is_tried_again(stage: Stage, name: str) -> None:
    """The end of the connection is found by a word that does not leave: EPIPE on the way out."""
    client = stage.client("prober")
    stage.ask(client)
    order = stage.issue()
    stage.step()  # announced before the fall
    stage.strike_down(name)
    rank = stage.loop.kernel if name == "kernel" else stage.loop.venue
    rank.put(CloseOrder(worker=1) if name == "kernel" else EndOrders(sequence=7))
    stage.loop.loop.flush(rank)
    assert (len(rank.outbox), rank.channels) == (1, []), "nothing is lost"
    stage.raise_up(name)
    assert isinstance(stage.ask(client, order), Passed)
    stage.hears("venue", Submit, order_id=50)
    if name == "venue":
        assert [m for m in stage.heard["venue"] if isinstance(m, EndOrders)]


# --- workers --------------------------------------------------------------------------------------


@pytest.mark.req("GRD-011", "GRD-016")
def test_an_order_passes_and_its_worker_hears_its_end(stage: Stage) -> None:
    worker = stage.client("prober")
    answer = stage.ask(worker, replace(stage.issue(), id=9))
    assert answer == Passed(order_id=50, id=9)
    assert stage.hears("venue", Submit) == Submit(order_id=50, order=PERMIT.order)
    stage.ends["venue"].send(OrderEnded(order_id=50))
    assert stage.until(worker.recv) == OrderOver(order_id=50, left=100)
    assert stage.hears("kernel", CloseOrder).worker == 2


@pytest.mark.req("GRD-012", "GRD-029")
def test_the_kernel_is_heard_before_every_order(stage: Stage) -> None:
    """Fence and order wait together, the order was there first: the fence is heard first."""
    worker, order = stage.client("prober"), stage.issue()
    stage.ask(worker)
    worker.send(order)
    stage.ends["kernel"].send(CancelAll(epoch=1))
    assert stage.until(worker.recv) == Refused(reason="STALE_EPOCH")
    assert not [m for m in stage.heard["venue"] if isinstance(m, Submit)]


@pytest.mark.req("GRD-012", "GRD-029")
def test_the_kernel_is_heard_again_before_each_order_of_one_turn(stage: Stage) -> None:
    """Between two orders of a worker's the kernel fences: the second does not pass."""
    worker = stage.client("prober")
    stage.ask(worker)
    first = stage.issue()
    second = stage.issue(replace(PERMIT, permit_id=51))
    stage.step()
    judge = stage.loop.guard.on_worker

    def fence_after(*words: Any) -> Any:
        stage.ends["kernel"].send(CancelAll(epoch=1))
        return judge(*words)

    stage.loop.guard.on_worker = fence_after  # type: ignore[method-assign]  # who speaks when
    assert worker.send(first)
    assert worker.send(second)
    assert isinstance(stage.until(worker.recv), Passed)
    assert stage.until(worker.recv) == Refused(reason="STALE_EPOCH")


@pytest.mark.req("GRD-004", "GRD-009")
def test_a_path_speaks_for_its_own_workers(stage: Stage) -> None:
    alpha = stage.client("alpha")
    assert stage.ask(alpha, stage.issue()).reason == "NOT_YOURS"
    assert stage.loop.guard.refusals["NOT_YOURS"] == 1


@pytest.mark.req("GRD-028")
def test_garbage_of_a_worker_is_an_answer_and_no_order(stage: Stage) -> None:
    worker = stage.client("prober")
    for data in (b"{", b"[]", b"x" * 70_000):
        worker.send(data)
    for _ in range(3):
        answer = stage.until(worker.recv)
        assert (type(answer), answer.reason) == (Refused, "UNREADABLE")
        assert "expected" in answer.detail
    assert stage.loop.guard.refusals["UNREADABLE"] == 3


@pytest.mark.req("GRD-030")
def test_a_worker_is_read_a_bounded_number_of_times_a_turn(stage: Stage) -> None:
    worker = stage.client("prober")
    stage.ask(worker)
    refusals = stage.loop.guard.refusals
    before = refusals["FORGED"]
    for _ in range(TURN_MESSAGES + 5):
        worker.send(FORGED)
    stage.step()
    assert refusals["FORGED"] - before == TURN_MESSAGES
    stage.step()
    assert refusals["FORGED"] - before == TURN_MESSAGES + 5


@pytest.mark.req("GRD-030")
def test_a_worker_that_comes_again_replaces_its_ancestor(stage: Stage) -> None:
    old = stage.client("prober")
    stage.ask(old)
    new = stage.client("prober")
    assert stage.ask(new).reason == "FORGED"
    with pytest.raises(ChannelClosed):
        old.recv()


@pytest.mark.req("GRD-030")
def test_what_waited_for_a_worker_that_is_gone_is_not_the_next_ones(stage: Stage) -> None:
    stage.loop.workers["prober"].put(OrderOver(order_id=1, left=1))
    worker = stage.client("prober")
    assert stage.ask(worker).reason == "FORGED"


@pytest.mark.req("GRD-030")
def test_a_worker_that_is_gone_before_its_answer_costs_its_own_channel(stage: Stage) -> None:
    worker = stage.client("prober")
    stage.ask(worker)
    worker.send(FORGED)
    worker.close()
    for _ in range(2):
        stage.step()
    assert stage.loop.guard.refusals["FORGED"] == 2
    assert stage.ask(stage.client("alpha")).reason == "FORGED"


@pytest.mark.req("GRD-030")
def test_news_for_a_worker_that_is_gone_is_nobodys(stage: Stage) -> None:
    """Of two orders that end, one worker has left since, and the other's leaving is not known."""
    worker = stage.client("prober")
    stage.ask(worker, stage.issue())
    alpha = stage.client("alpha")
    other = replace(PERMIT, permit_id=51, order=replace(PERMIT.order, worker=0))
    stage.ask(alpha, stage.issue(other))
    alpha.close()
    stage.until(lambda: not stage.loop.workers["alpha"].channels)
    stage.ends["venue"].send(OrderEnded(order_id=51))
    stage.ends["venue"].send(OrderEnded(order_id=50))
    stage.loop.loop.hear(stage.loop.venue)
    worker.close()
    for _ in range(2):
        stage.step()
    assert not stage.loop.guard.to_workers
    assert not any(rank.channels for rank in stage.loop.workers.values())
    assert stage.hears("kernel", CloseOrder, worker=0)
    assert stage.hears("kernel", CloseOrder, worker=2)


@pytest.mark.req("LNK-027")
def test_control_a_counted_encoder_shows_that_an_order_is_encoded_once_at_each_border(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's answer and the venue's order: two words out, two encodings."""
    worker = stage.client("prober")
    stage.ask(worker)
    order = stage.issue()
    stage.step()
    encoded: list[Message] = []

    def counted(message: Message) -> bytes:
        encoded.append(message)
        return encode(message)

    for module in (guard_process, link_loop):
        monkeypatch.setattr(module, "encode", counted)
    worker.send(order)
    stage.until(worker.recv)
    own = [one for one in encoded if isinstance(one, (Passed, Submit))]
    assert own == [Passed(order_id=50), Submit(order_id=50, order=PERMIT.order)]


# --- beats ----------------------------------------------------------------------------------------


class Clock:
    """A clock that is turned by hand; it stands in for ``time`` in the guard's process alone."""

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
        beats = stage.heard["kernel"].count(RecordHeartbeat(partition=1))
        heard.append((ms, beats, stage.heard["venue"].count(AskBooks())))
        for messages in stage.heard.values():
            messages.clear()
    assert [each for each in heard if each[1:] != (0, 0)] == [
        (0.0, 1, 1), (250.0, 1, 0), (500.0, 1, 1), (750.0, 1, 0), (1000.0, 1, 1),
    ]  # fmt: skip


@pytest.mark.req("GRD-027")
def test_who_is_not_there_is_not_waited_for(config: Config) -> None:
    """A step without kernel and venue takes no longer than a turn does."""
    stage = Stage(config)
    begun = time.monotonic()
    stage.loop.step()
    alone = time.monotonic() - begun
    assert alone < DEADLINE_S
    assert not stage.loop.kernel.channels


# --- the process ----------------------------------------------------------------------------------


@pytest.mark.req("GRD-025")
def test_the_guard_listens_for_workers_and_for_nobody_else(stage: Stage) -> None:
    stage.step()
    listening = {path.name for path in Path(stage.config.sockets).glob("guard.*")}
    assert listening == {f"guard.{name}" for name in guard_process.CLIENTS}
    assert set(guard_process.CLIENTS) == {"alpha", "prober"}


@pytest.mark.req("GRD-033")
@pytest.mark.parametrize("demonstration", [True, False])
def test_the_probers_path_is_open_in_a_demonstration_alone(
    config: Config, demonstration: bool
) -> None:
    stage = Stage(replace(config, demonstration=demonstration))
    stage.raise_up("kernel", "venue")
    stage.ends["kernel"].send(HELLO)
    listening = {path.name for path in Path(config.sockets).glob("guard.*")}
    assert listening == {"guard.alpha"} | ({"guard.prober"} if demonstration else set())
    worker = stage.client("alpha")
    assert stage.ask(worker, stage.issue()) == Refused(reason="NOT_YOURS"), "the prober's permit"
    # An order that ends without anybody on its worker's path costs nothing, and others go on.
    stage.loop.guard.to_workers.append((2, OrderOver(order_id=50, left=1)))
    own = replace(PERMIT, permit_id=51, order=ORDER)
    assert stage.ask(worker, stage.issue(own)) == Passed(order_id=51)
    assert not stage.loop.guard.to_workers


@pytest.mark.req("GRD-031")
def test_a_guard_that_is_told_to_stop_leaves_its_account_a_line_for_each_figure(
    config: Config,
) -> None:
    loop = GuardProcess(config)
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
        worker = client_of(config.socket("guard.prober"), FROM_GUARD)
        assert worker.ask(FORGED, DEADLINE_S) == Refused(reason="FORGED", id=1)
        ends = [one.accept() for one in (kernel, venue)]
        assert all(ends)
        process.send_signal(signal.SIGINT)
        assert worker.ask(FORGED, DEADLINE_S), "an interrupt at the terminal is the runner's"
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
