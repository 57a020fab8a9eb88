"""The kernel's loop at its edges: when it ticks, whom it listens to, what it counts and leaves.

Theory. Time is a list of readings, taken one after the other, so what a step does at the very
deadline and a nanosecond before it is no matter of luck. What a turn waits for is what it asked
its poller; the real poller stands behind and answers.

Not here: the loop on a good day (``test_loop``), its figures (``test_figures___main__``).
"""

import json
import select
import time
from typing import Any

import pytest

from dolphin.link.channel import connect
from dolphin.link.config import PERMIT_KEY, Config
from dolphin.link.permit import permit_of
from dolphin.link.process import Measure
from dolphin.shell import __main__ as process
from dolphin.shell.__main__ import Loop
from dolphin.shell.core import GUARD_QUEUE_MAX
from dolphin.shell.roles import ROLES
from tests.dolphin.shell.test_loop import Stage, config, stage
from tests.dolphin.shell.test_process import DEADLINE_S

__all__ = ["config", "stage"]

MS = 1_000_000


class Clock:
    """Readings in order, in ns; the last one stays. It stands in for ``time`` in the loop alone."""

    def __init__(self, *readings: int) -> None:
        self.readings = list(readings)

    def monotonic_ns(self) -> int:
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]

    def monotonic(self) -> float:
        return self.monotonic_ns() / 1e9

    def time_ns(self) -> int:
        return time.time_ns()


class Asked:
    """The real ``select``, and what its pollers were asked: who, for which events, how long."""

    POLLIN = select.POLLIN
    POLLOUT = select.POLLOUT

    def __init__(self) -> None:
        self.listened: list[tuple[Any, ...]] = []
        self.waits: list[float | None] = []
        self.real = select.poll()

    def poll(self) -> "Poller":
        self.listened.clear()
        self.real = select.poll()
        return Poller(self)


class Poller:
    """A poller that notes what it is asked."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def register(self, *what: Any) -> None:
        self._asked.listened.append(what)
        self._asked.real.register(*what)

    def poll(self, *ms: float) -> list[tuple[int, int]]:
        self._asked.waits.extend(ms)
        return self._asked.real.poll(0)


def listeners(loop: Loop) -> list[tuple[Any, ...]]:
    return [(listener, select.POLLIN) for listener in loop._listeners.values()]


def channel(loop: Loop, role: str) -> Any:
    (only,) = loop._channels[role]
    return only


# --- how it begins --------------------------------------------------------------------------------


@pytest.mark.req("SHL-021", "SHL-033")
def test_a_loop_that_has_not_begun_runs_and_has_no_time_yet(config: Config) -> None:
    loop = Loop(config)
    assert loop.stopped is False
    assert (loop._origin_ns, loop._deadline_ns) == (0, 0)


@pytest.mark.req("SHL-028")
def test_permits_are_counted_from_the_microsecond_in_which_the_loop_was_made(
    config: Config,
) -> None:
    before = time.time_ns() // 1000
    loop = Loop(config)
    after = time.time_ns() // 1000
    loop.shell.greet_guard()
    floor = loop.shell.to_guard[0]["floor"]
    assert isinstance(floor, int)
    assert before <= floor <= after


@pytest.mark.req("SHL-028")
def test_a_permit_lives_from_its_signature_as_long_as_the_session_says(config: Config) -> None:
    shell = Loop(config).shell
    slot = shell.state.gate.slots[2]
    before = time.monotonic_ns()
    token = shell._sign(2, slot, market=True, limit_price=0, reduce_only=False)
    after = time.monotonic_ns()
    permit = permit_of(token, config.key(PERMIT_KEY))
    assert permit is not None
    assert before <= permit.expires_ns - config.permit_ms * MS <= after
    assert shell._permit_ns == config.permit_ms * MS


@pytest.mark.req("SHL-021", "SHL-031")
def test_process_time_goes_on_from_where_the_journal_stands(config: Config) -> None:
    loop = Loop(config)
    loop.shell.tick(12_345)
    loop.begin()
    assert loop._deadline_ns - loop._origin_ns == 12_345 * MS


@pytest.mark.req("SHL-021")
def test_control_who_waits_at_the_very_end_of_the_wait_is_still_let_in(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    monkeypatch.setattr(process, "time", Clock(10**10, 10**10, 10**10 + 1))
    monkeypatch.setattr(process, "select", asked)
    stage = Stage(config)
    stage.join("driver")
    stage.loop.gather(0.0)
    assert len(stage.loop._channels["driver"]) == 1
    assert asked.waits == [200]
    assert asked.listened == listeners(stage.loop)


# --- steps ----------------------------------------------------------------------------------------


@pytest.mark.req("SHL-016", "SHL-021", "SHL-033")
def test_control_a_step_ticks_at_its_deadline_and_waits_for_the_next_one(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick is 5 ms. Each step: the clock at its start and before it waits, in ns."""
    steps = [
        (3_000_000, 3_000_000),  # as it began: due; the next one is a tick later
        (7_999_999, 7_999_999),  # not due yet
        (8_000_000, 9_000_000),  # due at the very nanosecond
        (21_234_567, 21_234_567),  # late by more than a tick: the next one is a multiple of 5 ms
        (25_000_000, 40_000_000),  # the next one is past before it is waited for
    ]
    clock, asked = Clock(3_000_000), Asked()
    monkeypatch.setattr(process, "time", clock)
    monkeypatch.setattr(process, "select", asked)
    loop = Loop(config)
    loop.begin()
    seen = []
    for start, wait in steps:
        clock.readings = [start, wait]
        loop.step()
        seen.append((loop.shell.state.clock.process_time_ms, loop._deadline_ns))
    assert seen == [
        (0, 8_000_000), (0, 8_000_000), (5, 13_000_000), (18, 25_000_000), (22, 30_000_000),
    ]  # fmt: skip
    left = [5_000_000, 1, 4_000_000, 3_765_433, 0]
    assert asked.waits == [ns / 1e9 * 1000 for ns in left]
    assert loop._late_ms_max == 8.234567
    loop.end()
    account = json.loads((config.run / "kernel.json").read_text())
    assert (account["turns"], account["tick_late_ms_max"]) == (5, 8.235)


# --- turns ----------------------------------------------------------------------------------------


@pytest.mark.req("SHL-016", "SHL-020", "SHL-029")
@pytest.mark.parametrize("roles", [("prober",), ("guard", "driver"), ("operator", "guard")])
@pytest.mark.parametrize("waiting", [False, True])
def test_control_a_turn_listens_for_who_is_there_and_writes_only_to_the_guard(
    config: Config, monkeypatch: pytest.MonkeyPatch, roles: tuple[str, ...], waiting: bool
) -> None:
    asked = Asked()
    monkeypatch.setattr(process, "select", asked)
    stage = Stage(config)
    stage.join(*roles)
    stage.loop._turn(0.0)
    stage.loop.shell.to_guard.clear()
    if waiting:
        stage.loop.shell.to_guard.append({"do": "issued"})
    stage.loop._turn(0.25)
    expected: list[tuple[Any, ...]] = []
    for listener, role in zip(listeners(stage.loop), ROLES, strict=True):
        expected.append(listener)
        if role.name in roles:
            writes = select.POLLOUT if waiting and role.name == "guard" else 0
            expected.append((channel(stage.loop, role.name), select.POLLIN | writes))
    assert asked.listened == expected
    assert asked.waits == [0.0, 250.0]


@pytest.mark.req("SHL-014", "SHL-018", "SHL-020")
def test_control_by_a_clock_that_stands_a_role_says_its_burst_and_then_a_token_at_a_time(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prober's burst is 100, and half a thousand tokens a second come back."""
    clock = Clock(10**9)
    monkeypatch.setattr(process, "time", clock)
    stage = Stage(config)
    stage.join("prober")
    stage.loop._turn(0.0)
    assert all(stage.clients["prober"].send({"noise": 1}) for _ in range(110))
    seen = []
    for ms in (0, 0, 0, 1, 2, 2, 4):
        clock.readings = [10**9 + ms * MS]
        stage.loop._turn(0.0)
        counts = stage.loop.shell.counts
        seen.append((stage.loop.shell.refusals["UNREADABLE"], counts["throttled_prober"]))
    assert seen == [(64, 0), (100, 1), (100, 1), (100, 1), (101, 2), (101, 2), (102, 3)]


@pytest.mark.req("SHL-016", "SHL-022")
def test_a_role_is_answered_where_the_roles_before_it_are_absent(config: Config) -> None:
    stage = Stage(config)
    stage.join("alpha")
    stage.loop._turn(0.0)
    stage.clients["alpha"].send({"ask": "status", "id": 4})
    stage.loop._turn(0.0)
    answer = stage.clients["alpha"].recv()
    assert answer is not None
    assert answer["id"] == 4


@pytest.mark.req("SHL-017", "SHL-022")
def test_each_reply_that_is_not_taken_counts_as_one_and_no_other_does(config: Config) -> None:
    stage = Stage(config)
    stage.join("sensors")
    stage.loop._turn(0.0)
    deaf, counts = stage.clients["sensors"], stage.loop.shell.counts
    asks = 0
    while counts["replies_dropped"] == 0:
        assert asks < 10_000, "the socket has no end, so nothing was tested"
        assert deaf.send({"ask": "status", "id": asks})
        stage.loop._turn(DEADLINE_S)
        asks += 1
    assert counts["replies_dropped"] == 1
    heard = []
    while (reply := deaf.recv()) is not None:
        heard.append(reply["id"])
    assert heard == list(range(asks - 1))
    assert heard


# --- the guard ------------------------------------------------------------------------------------


@pytest.mark.req("SHL-029")
@pytest.mark.parametrize(("room", "stays"), [(1, True), (0, False)])
def test_a_guard_is_let_go_when_its_queue_is_full_and_no_message_earlier(
    config: Config, room: int, stays: bool
) -> None:
    stage = Stage(config)
    guard = connect(config.socket("kernel.guard"), DEADLINE_S)
    stage.loop._turn(0.0)
    stage.loop._tell_guard()
    hello = guard.recv()
    assert hello is not None
    assert hello["do"] == "hello"
    queue, message = stage.loop.shell.to_guard, {"do": "issued", "filler": "x" * 4000}
    assert not queue
    sent = 0
    while not queue:
        assert sent < 10_000, "the socket has no end, so nothing was tested"
        queue.append(message)
        stage.loop._tell_guard()
        sent += 1
    queue.extend([message] * (GUARD_QUEUE_MAX - room - len(queue)))
    stage.loop._tell_guard()
    assert len(queue) == GUARD_QUEUE_MAX - room
    assert len(stage.loop._channels["guard"]) == stays


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.req("SHL-033")
def test_a_loop_that_is_told_to_stop_leaves_its_account_a_line_for_each_figure(
    config: Config,
) -> None:
    loop = Loop(config)
    loop.shell.counts["permits"] = 3
    loop.shell.refusals["UNREADABLE"] = 2
    loop.isolation = [Measure("memory locked", True, "mlockall")]
    loop.stop()
    assert loop.stopped is True
    loop.run()
    text = (config.run / "kernel.json").read_text()
    assert text.splitlines() == [
        "{",
        ' "counts": {',
        '  "permits": 3',
        " },",
        ' "refusals": {',
        '  "UNREADABLE": 2',
        " },",
        ' "isolation": [',
        "  {",
        '   "measure": "memory locked",',
        '   "held": true,',
        '   "detail": "mlockall"',
        "  }",
        " ],",
        ' "turns": 0,',
        ' "tick_late_ms_max": 0.0,',
        ' "records": 2,',
        ' "event_records": 0,',
        ' "ticks_coalesced": 0,',
        ' "postings": 1,',
        ' "post_failures": 0',
        "}",
    ]
    assert text.endswith("}\n")
