"""The kernel's real process beside clients that crash, hang, flood, lie and leak.

Theory. A client costs its own channel and nothing else: while it misbehaves, every other role is
answered, process time goes on, and the state is what it would have been without it. No time is
asserted but deadlines of ten seconds, which only something that waits for ever misses.

Not here: what the kernel decides (tests/kernel).
"""

import json
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dolphin.link.channel import connect
from dolphin.link.client import Client
from dolphin.link.codec import encode
from dolphin.link.config import ANCHOR_KEY, PERMIT_KEY, VENUE_KEY, Config
from dolphin.link.loop import Loop
from dolphin.link.messages import KERNEL_ANSWERS, Accepted, AskStatus, Refused, Status
from dolphin.ops.supervise import ROOT
from dolphin.shell.history import of_journal
from tests.dolphin.said import answers_of, said
from traces.frames import JournalCorrupt, Tag, scan
from traces.reader import opened

DEADLINE_S = 10.0
pytestmark = pytest.mark.children
BAR_MS = 60_000


def config_in(folder: Path, sockets: str) -> Config:
    """Write keys and a configuration for a kernel alone."""
    (folder / "keys").mkdir()
    for key in (PERMIT_KEY, VENUE_KEY, ANCHOR_KEY):
        (folder / "keys" / key).write_text(secrets.token_hex(32))
    config = Config(
        id="test", folder=str(folder), sockets=sockets, profile="bible", seed=0,
        windows=(5, 10), data=None, bars=100, lead_bars=0, bar_ms=BAR_MS, market_time_ms=0,
        symbols=("BTCUSDT",), lot_ppm=(100,), cash=25_000_000_000,
        heartbeat_limit_ms=(30_000,) * 4, cooling_ms=1, confirm_window_ms=30_000,
        bar_ms_min=1_000, book_stale_ms=10 * BAR_MS, permit_ms=1_000, tick_ms=5,
        deadline_ms=1_000, stand_ins={}, demonstration=True,
    )  # fmt: skip
    config.save()
    return config


def client_of(config: Config, role: str) -> Client[Any]:
    """Return a client of the kernel's in a role, on a loop of its own."""
    return Client(Loop(), config.socket(f"kernel.{role}"), answers_of(role), DEADLINE_S)


class Kernel:
    """A kernel's process and well-behaved clients of it."""

    def __init__(self, config: Config, *command: str) -> None:
        self.config = config
        self.command = command or (sys.executable, "-m", "dolphin.shell")
        self.clients: dict[str, Client[Any]] = {}
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([*self.command, str(self.config.run)], cwd=ROOT)
        for role in ("driver", "guard", "sensors", "alpha", "operator"):
            self.clients[role] = client_of(self.config, role)

    def say(self, role: str, message: str, **fields: Any) -> Any:
        answer = self.clients[role].ask(said(message, **fields), DEADLINE_S)
        assert answer is not None, f"{role} has no answer"
        return answer

    def status(self) -> Status:
        status: Status = self.say("operator", "AskStatus").status
        return status

    def until(self, holds: Callable[[Status], bool]) -> Status:
        end = time.monotonic() + DEADLINE_S
        while not holds(now := self.status()):
            assert time.monotonic() < end, now
            # The next answer needs a turn of the kernel; no sleep of ours is needed.
        return now

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(DEADLINE_S) == 0

    def account(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.config.run / "kernel.json").read_text())
        return document


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A running kernel; killed at the end whatever happened."""
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    running = Kernel(config_in(tmp_path, sockets))
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        shutil.rmtree(sockets)


def bars(kernel: Kernel, first: int, count: int) -> None:
    """Close bars, one after the other, and see each accepted."""
    for number in range(first, first + count):
        answer = kernel.say("driver", "CloseBar", market_time_ms=(number + 1) * BAR_MS)
        assert isinstance(answer, Accepted)


@pytest.mark.req("SHL-014", "SHL-016", "SHL-018")
def test_a_flood_fills_the_flooders_own_socket(kernel: Kernel) -> None:
    kernel.say("alpha", "ClaimInstrument", worker=0, instrument=1)
    before = kernel.status()
    flooder = connect(kernel.config.socket("kernel.alpha"), DEADLINE_S)
    flood = b'{"type":"RequestOrder","worker":0,"instrument":7}'
    sent = sum(flooder.send(flood) for _ in range(20_000))
    bars(kernel, 0, 20)
    now = kernel.until(lambda status: status.process_time_ms > before.process_time_ms)
    assert now.market_time_ms == 20 * BAR_MS
    assert now.slots == before.slots
    kernel.stop()
    account = kernel.account()
    assert 0 < account["refusals"]["UNREADABLE"] <= sent
    assert account["counts"]["throttled_alpha"] > 0


@pytest.mark.req("SHL-017")
def test_a_client_that_never_reads_is_not_waited_for(kernel: Kernel) -> None:
    deaf = connect(kernel.config.socket("kernel.prober"), DEADLINE_S)
    end = time.monotonic() + DEADLINE_S
    dropped = 0
    while not dropped and time.monotonic() < end:
        # Every question is answered into a socket that nobody empties.
        deaf.send(encode(AskStatus()))
        bars(kernel, kernel.status().market_time_ms // BAR_MS, 1)
        dropped = kernel.say("operator", "AskAccount").counts.get("replies_dropped", 0)
    assert dropped, "the socket never filled, so nothing was tested"


@pytest.mark.req("SHL-007", "SHL-008", "SHL-018")
def test_lies_garbage_and_giants_change_nothing(kernel: Kernel) -> None:
    before = kernel.status()
    liar = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    liar.connect(str(kernel.config.socket("kernel.prober")))
    for data in (b"{", b"[]", b"\xff" * 100, b"{" * 60_000, b"x" * 100_000, b'{"type":7}'):
        liar.send(data)
    for message in (
        said("CloseBar", market_time_ms=10**12),
        said("RecordHeartbeat", partition=0),
        said("ReportFill", worker=0, quantity=1, price=1, fee=0),
        said("ClaimInstrument", worker=0, instrument=1),
        said("ConfirmFence", epoch=0),
        said("RestartKernel"),
    ):
        liar.send(encode(message))
    for _ in range(12):
        answer = KERNEL_ANSWERS.decode(liar.recv(65_536))
        assert isinstance(answer, Refused)
        assert answer.reason in ("UNREADABLE", "NOT_PERMITTED")
    now = kernel.status()
    for name in ("market_time_ms", "slots", "fence_epoch", "fence_confirmed", "killed"):
        assert getattr(now, name) == getattr(before, name)


@pytest.mark.req("SHL-019")
def test_a_client_that_dies_is_replaced_by_its_successor(kernel: Kernel) -> None:
    dying = connect(kernel.config.socket("kernel.alpha"), DEADLINE_S)
    dying.send(encode(said("ClaimInstrument", worker=0, instrument=3)))
    dying.close()
    successor = client_of(kernel.config, "alpha")
    claim = said("ClaimInstrument", worker=0, instrument=4)
    assert isinstance(successor.ask(claim, DEADLINE_S), Accepted)
    bars(kernel, 0, 3)


@pytest.mark.req("SHL-004", "SHL-005")
def test_a_journal_that_the_machine_refuses_kills_and_is_made_whole(kernel: Kernel) -> None:
    bars(kernel, 0, 3)
    _soft, hard = resource.prlimit(kernel.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(kernel.process.pid, resource.RLIMIT_FSIZE, (1, hard))
    answer = kernel.say("driver", "CloseBar", market_time_ms=4 * BAR_MS)
    assert answer.unwritten is True, "accepted, and said to be in no journal yet"
    now = kernel.until(lambda status: status.killed)
    assert now.causes == ("CHECKSUM",)
    assert now.journal_writable is False
    assert isinstance(kernel.say("operator", "RequestRearm"), Accepted)
    kernel.until(lambda status: status.operator_request_age_ms >= 1)
    assert kernel.say("operator", "ConfirmRearm").reason == "JOURNAL_DOWN"
    resource.prlimit(kernel.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    kernel.until(lambda status: status.journal_writable)
    assert isinstance(kernel.say("operator", "ConfirmRearm"), Accepted)
    kernel.stop()
    history = of_journal(kernel.config.run / "journal.bin")
    assert history.counts["CloseBar"] == 4, "nothing is missing from the time it was down"
    assert history.counts["FailJournal"] == history.counts["RestoreJournal"] == 1
    assert history.refusals["JOURNAL_DOWN"] == 1


@pytest.mark.req("SHL-031", "SHL-032", "SHL-033")
def test_what_was_acknowledged_survives_sigkill(kernel: Kernel) -> None:
    kernel.say("guard", "ConfirmFence", epoch=0)
    kernel.say("alpha", "ClaimInstrument", worker=0, instrument=1)
    kernel.say("driver", "UpdateMark", instrument=1, price=777)
    bars(kernel, 0, 5)
    before = kernel.status()
    kernel.process.send_signal(signal.SIGKILL)
    kernel.process.wait()
    kernel.start()
    now = kernel.status()
    for name in ("market_time_ms", "cash", "equity_peak", "slots"):
        assert getattr(now, name) == getattr(before, name), name
    assert now.posture == 0
    assert now.fence_epoch == before.fence_epoch + 1
    assert now.fence_confirmed is False
    kernel.stop()
    assert of_journal(kernel.config.run / "journal.bin").counts["RestartKernel"] == 1
    with opened(kernel.config.run / "journal.bin") as data:
        assert list(scan(data))[-1].tag == Tag.CLOSE


@pytest.mark.req("SHL-030")
def test_a_kernel_does_not_start_on_a_corrupt_journal(kernel: Kernel) -> None:
    bars(kernel, 0, 5)
    kernel.process.send_signal(signal.SIGKILL)
    kernel.process.wait()
    path = kernel.config.run / "journal.bin"
    data = bytearray(path.read_bytes())
    data[len(bytes(data).rstrip(b"\0")) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalCorrupt):
        of_journal(path)
    done = subprocess.run(
        [sys.executable, "-m", "dolphin.shell", str(kernel.config.run)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("kernel: ")
    operator = kernel.clients["operator"]
    assert operator.hear() is None
    assert not operator.tell(AskStatus())
    assert not operator.connected


@pytest.mark.req("SHL-033")
def test_the_kernel_dies_with_its_parent(tmp_path: Path) -> None:
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    config = config_in(tmp_path, sockets)
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'dolphin.shell', sys.argv[1]])\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(config.run)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        connect(config.socket("kernel.driver"), DEADLINE_S)
        parent.kill()
        parent.wait()
        end = time.monotonic() + DEADLINE_S
        while running(child):
            assert time.monotonic() < end, "the kernel outlived its parent"
    finally:
        parent.kill()
        parent.wait()
        shutil.rmtree(sockets)


def running(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False
