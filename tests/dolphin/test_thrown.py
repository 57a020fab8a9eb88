"""Bytes thrown at the real processes: noise, near messages and messages, on each of their paths.

Theory. A process is started once; hypothesis then throws bursts at each of its sockets. After each
burst the process must still answer somebody else's question, or the example is shrunk to the bytes
that ended it. Kernel and guard are level A; the venue plays the exchange. Messages that are whole
are thrown as well: what is well said and makes no sense must end nobody either.

Not here: what each refusal says (tests/dolphin/link/test_codec.py).
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dolphin.link.channel import Listener
from dolphin.link.codec import Codec, Message, encode
from dolphin.link.config import VENUE_KEY, Config
from dolphin.link.messages import (
    FROM_GUARD,
    KERNEL_ANSWERS,
    VENUE_ANSWERS,
    AskStatus,
    Hello,
    Login,
    PresentPermit,
    Refused,
    SetPrices,
    StatusShown,
)
from dolphin.link.permit import token_of
from dolphin.ops.supervise import PROGRAMS, ROOT, Program
from dolphin.shell.roles import ROLES
from tests.dolphin.guard.test_guard import PERMIT
from tests.dolphin.link.near import thrown
from tests.dolphin.said import client_of
from tests.dolphin.shell.test_process import config_in

DEADLINE_S = 30.0
BURST = 6
# Each example is a burst on one path, and a question behind it.
bounded = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FORGED = PresentPermit(permit=token_of(PERMIT, bytes(32)))
KILL = b'{"type":"TripKillSwitch","cause":3,"who":"ada","why":"M\xe4rkte"}'
LOGIN_THAT_IS_NONE = '{"type":"Login","key":"ä"}'.encode()
SURROGATE = encode(FORGED).replace(b'"mac":"', b'"mac":"\\ud800')

Start = Callable[..., "Target"]


class Target:
    """A process under fire: started once, asked after each burst."""

    def __init__(self, config: Config, hear: Codec[Any], path: str, *command: str) -> None:
        self.config = config
        self.process = subprocess.Popen(
            [sys.executable, *command, str(config.run)], cwd=ROOT, stderr=subprocess.DEVNULL
        )
        self.asker = client_of(config.socket(path), hear)

    def throw(self, path: str, burst: list[bytes], first: bytes = b"") -> None:
        """Connect to a path and send; what is not taken is not waited for."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as thrower:
            thrower.connect(str(self.config.socket(path)))
            thrower.setblocking(False)
            for data in [first, *burst]:
                try:
                    thrower.send(data) if data else None
                except (BlockingIOError, OSError):
                    break

    def asked(self, question: Message) -> Any:
        """Return the answer to a question; the process must be there to give it."""
        end = time.monotonic() + DEADLINE_S
        while (answer := self.asker.ask(question, 1.0)) is None:
            assert self.process.poll() is None, "the process ended"
            assert time.monotonic() < end, "the process does not answer"
        return answer

    def asked_for_long(self, question: Message) -> None:
        """Ask until what was sent before must have been heard."""
        for _ in range(20):
            self.asked(question)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    yield config_in(tmp_path, sockets)
    shutil.rmtree(sockets)


@pytest.fixture
def aimed(config: Config) -> Iterator[Start]:
    """Start a process to throw at; killed at the end whatever happened."""
    started: list[Target] = []

    def start(hear: Codec[Any], path: str, *command: str) -> Target:
        started.append(Target(config, hear, path, *command))
        return started[-1]

    yield start
    for one in started:
        one.stop()


bursts = st.lists(thrown(), min_size=1, max_size=BURST)


@pytest.mark.children
@pytest.mark.random
@pytest.mark.req("SHL-043")
def test_no_bytes_end_the_kernel(aimed: Start) -> None:
    kernel = aimed(KERNEL_ANSWERS, "kernel.operator", "-m", "dolphin.shell")
    others = [
        client_of(kernel.config.socket(f"kernel.{role}"), KERNEL_ANSWERS)
        for role in ("driver", "guard", "sensors", "alpha")
    ]
    assert all(one.connected for one in others)

    @bounded
    @given(st.sampled_from([role.name for role in ROLES]), bursts)
    @example("operator", [KILL])
    @example("operator", [b"x" * 70_000 + KILL])
    @example("guard", [SURROGATE])
    def throw(role: str, burst: list[bytes]) -> None:
        kernel.throw(f"kernel.{role}", burst)
        assert isinstance(kernel.asked(AskStatus()), StatusShown)

    throw()
    kernel.asked_for_long(AskStatus())


@pytest.mark.children
@pytest.mark.req("SHL-042", "SHL-043")
def test_a_kill_that_is_not_utf_8_latches_in_the_process_that_runs(
    aimed: Start,
) -> None:
    kernel = aimed(KERNEL_ANSWERS, "kernel.operator", "-m", "dolphin.shell")
    others = [
        client_of(kernel.config.socket(f"kernel.{role}"), KERNEL_ANSWERS)
        for role in ("driver", "guard", "sensors", "alpha")
    ]
    assert all(one.connected for one in others)
    assert kernel.asked(AskStatus()).status.causes == ()
    kernel.throw("kernel.operator", [KILL])
    end = time.monotonic() + DEADLINE_S
    while kernel.asked(AskStatus()).status.causes != ("OPERATOR",):
        assert time.monotonic() < end, "it never latched"


@pytest.mark.children
@pytest.mark.random
@pytest.mark.req("GRD-032")
def test_no_bytes_end_the_guard(aimed: Start, config: Config) -> None:
    sides = {name: Listener(config.socket(f"{name}.guard")) for name in ("kernel", "venue")}
    guard = aimed(FROM_GUARD, "guard.alpha", "-m", "dolphin.guard")
    standing = {}
    for name, listener in sides.items():
        end = time.monotonic() + DEADLINE_S
        while (channel := listener.accept()) is None:
            assert time.monotonic() < end, "the guard does not come"
        standing[name] = channel
    standing["kernel"].send(encode(Hello(epoch=0, fence_confirmed=True, floor=0, outstanding=())))

    @bounded
    @given(st.sampled_from(["guard.prober", "kernel", "venue"]), bursts)
    @example("guard.prober", [SURROGATE])
    def throw(path: str, burst: list[bytes]) -> None:
        if path in standing:
            for data in burst:
                standing[path].send(data) if data else None
        else:
            guard.throw(path, burst)
        for side in standing.values():  # or the guard would keep what they do not read
            while side.recv() is not None:
                pass
        assert isinstance(guard.asked(FORGED), Refused)

    throw()
    guard.asked_for_long(FORGED)


@pytest.mark.children
@pytest.mark.random
@pytest.mark.req("VEN-007", "VEN-008")
def test_no_bytes_end_the_venue(aimed: Start, config: Config) -> None:
    venue = aimed(VENUE_ANSWERS, "venue.driver", "-m", "dolphin.venue")
    login = encode(Login(key=config.key(VENUE_KEY).hex()))

    @bounded
    @given(st.booleans(), st.sampled_from(["guard", "driver"]), bursts)
    @example(False, "guard", [LOGIN_THAT_IS_NONE])
    def throw(trusted: bool, side: str, burst: list[bytes]) -> None:
        if side == "guard":
            venue.throw("venue.guard", burst, login if trusted else b"")
        else:
            venue.throw("venue.driver", burst)
            venue.asker.lose()  # the newest driver stands; the next question connects anew
        assert venue.asked(SetPrices(bar=1, prices={1: 1_000_000})) is not None

    throw()
    venue.asked_for_long(SetPrices(bar=1, prices={}))


# A venue that compares a login as it once did: text that is not ASCII ends it.
BREAKS = """
import hmac, runpy, sys
from dolphin.link import codec
decode = codec.Codec.decode
def broken(self, data):
    hmac.compare_digest(data.decode(), "x")
    return decode(self, data)
codec.Codec.decode = broken
sys.argv = ["venue", sys.argv[1]]
runpy.run_module("dolphin.venue", run_name="__main__")
"""


@pytest.mark.children
def test_control_a_process_that_bytes_end_is_found(aimed: Start) -> None:
    venue = aimed(VENUE_ANSWERS, "venue.driver", "-c", BREAKS)
    assert venue.asked(SetPrices(bar=1, prices={})) is not None
    venue.throw("venue.guard", [LOGIN_THAT_IS_NONE])
    until = time.monotonic() + DEADLINE_S
    # The driver's path may be heard before the guard's: its end is waited for.
    while venue.process.poll() is None and time.monotonic() < until:
        pass
    with pytest.raises(AssertionError, match="the process ended"):
        venue.asked_for_long(SetPrices(bar=1, prices={}))


# --- a configuration that is none -----------------------------------------------------------------


@pytest.mark.children
@pytest.mark.req("LNK-017", "LNK-030")
@pytest.mark.parametrize("one", PROGRAMS, ids=lambda one: one.name)
def test_every_process_names_the_wrong_field_of_its_configuration(
    config: Config, one: Program
) -> None:
    path = config.run / "config.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": true'))
    done = subprocess.run(
        [sys.executable, "-m", one.module, str(config.run)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "config.json: the fields of a session expected" in line
    assert "$.seed" in line
