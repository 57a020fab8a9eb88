"""A client that leaks: what it sends or does not read takes no memory of the kernel's.

Theory. The fifth misbehaviour beside crash, hang, flood and lie (``test_process``). A leak shows as
growth: the memory of the kernel's process after many messages is compared with its own memory after
few, in the same run. What one message would cost if it were kept is known, so the bound is a tenth
of what keeping them all would have taken; each control keeps them all, and is found.

Not here: memory that the operating system holds for sockets. It is bounded by each socket's buffer.
"""

import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dolphin.link.channel import connect
from dolphin.link.codec import encode
from dolphin.link.messages import AskStatus
from tests.dolphin.shell.test_process import DEADLINE_S, Kernel, config_in

Start = Callable[..., Kernel]
FEW, MANY = 200, 4_000
# A kernel that keeps every frame it hears, every reply it drops, every connection it lets go.
KEEPS = """
import runpy, sys
from dolphin.link import channel
kept = []
recv, send, close = channel.Channel.recv, channel.Channel.send, channel.Channel.close
channel.Channel.recv = lambda self: (kept.append(recv(self)), kept[-1])[1]
channel.Channel.send = lambda self, m: send(self, m) or (kept.append(repr(m) * 4), False)[1]
channel.Channel.close = lambda self: kept.append((self, bytearray(20_000)))
sys.argv = ["kernel", sys.argv[1]]
runpy.run_module("dolphin.shell", run_name="__main__")
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a kernel by its command; killed at the end whatever happened."""
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    running: list[Kernel] = []

    def begin(*command: str) -> Kernel:
        running.append(Kernel(config_in(tmp_path, sockets), *command))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.wait()
    shutil.rmtree(sockets)


def memory(kernel: Kernel) -> tuple[int, int]:
    """Return the resident bytes and the size of the table of descriptors of the process."""
    status = Path(f"/proc/{kernel.process.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024, int(fields["FDSize"])


def account(kernel: Kernel, table: str, name: str) -> int:
    answer = kernel.say("operator", "AskAccount")
    return int(getattr(answer, table).get(name, 0))


class Frames:
    """Endless beginnings of a message, none of which is ever brought to its end."""

    bytes_each = 50_000

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(kernel.config.socket("kernel.driver")))
        self.socket.setblocking(False)

    def press(self, count: int) -> None:
        """Have the kernel hear ``count`` more; no reply is ever read."""
        goal = account(self.kernel, "refusals", "UNREADABLE") + count
        while account(self.kernel, "refusals", "UNREADABLE") < goal:
            try:
                while True:
                    self.socket.send(b'{"type":"' + b"x" * (self.bytes_each - 9))
            except BlockingIOError:
                pass  # its own socket is full; the operator's question gives the kernel its turns


class Unread:
    """Endless questions whose answers are never read."""

    bytes_each = 4_000

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.channel = connect(kernel.config.socket("kernel.driver"), DEADLINE_S)

    def press(self, count: int) -> None:
        goal = account(self.kernel, "counts", "replies_dropped") + count
        while account(self.kernel, "counts", "replies_dropped") < goal:
            while self.channel.send(encode(AskStatus())):
                pass


class Connections:
    """Endless connections of one role, none of which is ever closed by the client."""

    bytes_each = 20_000

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.held: list[socket.socket] = []

    def press(self, count: int) -> None:
        for _ in range(count):
            one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            one.connect(str(self.kernel.config.socket("kernel.prober")))
            self.held = [*self.held[-400:], one]
        assert self.kernel.status().killed is False


def growth(kernel: Kernel, kind: type[Frames] | type[Unread] | type[Connections]) -> float:
    """Return the memory that came with many messages, as a part of what keeping them takes."""
    client = kind(kernel)
    client.press(FEW)
    before, table = memory(kernel)
    client.press(MANY)
    after, table_after = memory(kernel)
    grown = (after - before) / (MANY * kind.bytes_each)
    # The table of descriptors doubles where they are not given back.
    return max(grown, float(table_after > 2 * table))


@pytest.mark.req("SHL-037")
@pytest.mark.parametrize("kind", [Frames, Unread, Connections])
def test_a_leaking_client_takes_no_memory_of_the_kernels(
    start: Start, kind: type[Frames] | type[Unread] | type[Connections]
) -> None:
    assert growth(start(), kind) < 0.1


@pytest.mark.parametrize("kind", [Frames, Unread, Connections])
def test_control_a_kernel_that_keeps_what_it_hears_is_found(
    start: Start, kind: type[Frames] | type[Unread] | type[Connections]
) -> None:
    assert growth(start(sys.executable, "-c", KEEPS), kind) > 0.1
