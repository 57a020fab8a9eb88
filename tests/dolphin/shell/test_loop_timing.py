"""The kernel's process at its edges: when it ticks, how far it reads, what it counts and leaves.

Theory. Time is a list of readings, taken one after the other, so what a step does at the very
deadline and a nanosecond before it is no matter of luck.

Not here: the process on a good day (``test_loop``), its figures (``test_main``), turns
(tests/dolphin/link/test_loop.py).
"""

import json
import time

import pytest

from dolphin.link import loop as link_loop
from dolphin.link.config import PERMIT_KEY, Config
from dolphin.link.messages import CancelAll, Hello, StatusShown
from dolphin.link.permit import permit_of
from dolphin.link.process import Measure
from dolphin.shell import __main__ as process
from dolphin.shell.core import GUARD_QUEUE_MAX, order_of
from tests.dolphin.said import said
from tests.dolphin.shell.test_loop import Stage, Watched, config, stage
from tests.dolphin.shell.test_process import DEADLINE_S

__all__ = ["config", "stage"]

MS = 1_000_000


class Clock:
    """Readings in order, in ns; the last one stays. It stands in for ``time`` in one module."""

    def __init__(self, *readings: int) -> None:
        self.readings = list(readings)

    def monotonic_ns(self) -> int:
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]

    def monotonic(self) -> float:
        return self.monotonic_ns() / 1e9

    def time_ns(self) -> int:
        return time.time_ns()


# --- how it begins --------------------------------------------------------------------------------


@pytest.mark.req("SHL-028")
def test_permits_are_counted_from_the_microsecond_in_which_the_kernel_was_made(
    config: Config,
) -> None:
    before = time.time_ns() // 1000
    kernel = Watched(config)
    after = time.time_ns() // 1000
    kernel.shell.greet_guard()
    (hello,) = kernel.shell.to_guard
    assert isinstance(hello, Hello)
    assert before <= hello.floor <= after


@pytest.mark.req("SHL-028")
def test_a_permit_lives_from_its_signature_as_long_as_the_session_says(config: Config) -> None:
    shell = Watched(config).shell
    slot = shell.state.gate.slots[2]
    before = time.monotonic_ns()
    token = shell._sign(slot, order_of(2, slot))
    after = time.monotonic_ns()
    permit = permit_of(token, config.key(PERMIT_KEY))
    assert permit is not None
    assert before <= permit.expires_ns - config.permit_ms * MS <= after


@pytest.mark.req("SHL-021", "SHL-031")
def test_control_process_time_goes_on_from_where_the_journal_stands(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(10**10)
    monkeypatch.setattr(process, "time", clock)
    kernel = Watched(config)
    kernel.shell.tick(12_345)
    kernel.begin()
    clock.readings = [10**10 + 7 * MS]
    kernel.step()
    assert kernel.shell.state.clock.process_time_ms == 12_352


@pytest.mark.req("SHL-021")
def test_control_who_is_there_at_the_very_end_of_the_wait_is_still_let_in(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "time", Clock(10**10, 10**10, 10**10, 10**10 + 1))
    stage = Stage(config)
    stage.join("driver")
    stage.loop.gather(0.0)
    assert len(stage.loop.ranks["driver"].channels) == 1


@pytest.mark.req("SHL-021")
def test_nobody_is_heard_before_all_parts_are_there(config: Config) -> None:
    stage = Stage(config)
    stage.join("driver", "operator")
    stage.clients["operator"].send(said("TripKillSwitch", cause=3))
    stage.loop.gather(0.05)
    assert stage.loop.shell.history.counts["events"] == 0
    stage.loop.begin()
    stage.until(lambda: stage.loop.shell.state.killswitch.latched_operator)


# --- steps ----------------------------------------------------------------------------------------


@pytest.mark.req("SHL-016", "SHL-021", "SHL-033")
def test_control_a_step_ticks_at_its_deadline_and_waits_for_the_next_one(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick is 5 ms. Each step: the clock at its start, in ns."""
    starts = [
        3_000_000,  # as it began: due; the next one is a tick later
        7_999_999,  # not due yet
        8_000_000,  # due at the very nanosecond
        21_234_567,  # late by more than a tick: the next one is a multiple of 5 ms
        25_000_000,  # due again
    ]
    clock = Clock(3_000_000)
    monkeypatch.setattr(process, "time", clock)
    kernel = Watched(config)
    waits: list[float] = []
    monkeypatch.setattr(kernel.loop, "turn", waits.append)
    kernel.begin()
    seen = []
    for start in starts:
        clock.readings = [start]
        kernel.step()
        seen.append(kernel.shell.state.clock.process_time_ms)
    assert seen == [0, 0, 5, 18, 22]
    assert waits == [ns / 1e9 for ns in (8_000_000, 8_000_000, 13_000_000, 25_000_000, 30_000_000)]
    kernel.end()
    account = json.loads((config.run / "kernel.json").read_text())
    assert (account["turns"], account["tick_late_ms_max"]) == (5, 8.235)


# --- turns ----------------------------------------------------------------------------------------


@pytest.mark.req("SHL-014", "SHL-018", "SHL-020")
def test_control_by_a_clock_that_stands_a_role_says_its_burst_and_then_a_token_at_a_time(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prober's burst is 100, and half a thousand tokens a second come back."""
    clock = Clock(10**9)
    monkeypatch.setattr(link_loop, "time", clock)
    stage = Stage(config)
    stage.join("prober")
    stage.loop.loop.turn(0.0)
    assert all(stage.clients["prober"].send(b'{"noise":1}') for _ in range(110))
    seen = []
    for ms in (0, 0, 0, 1, 2, 2, 4):
        clock.readings = [10**9 + ms * MS]
        stage.loop.loop.turn(0.0)
        counts = stage.loop.shell.counts
        seen.append((stage.loop.shell.refusals["UNREADABLE"], counts["throttled_prober"]))
    assert seen == [(64, 0), (100, 1), (100, 1), (100, 1), (101, 2), (101, 2), (102, 3)]


@pytest.mark.req("SHL-016", "SHL-022")
def test_a_role_is_answered_where_the_roles_before_it_are_absent(config: Config) -> None:
    stage = Stage(config)
    stage.join("alpha")
    stage.loop.loop.turn(0.0)
    answer = stage.say("alpha", "AskStatus", id=4)
    assert (type(answer), answer.id) == (StatusShown, 4)


@pytest.mark.req("SHL-017", "SHL-022")
def test_each_answer_that_is_not_taken_counts_as_one_and_no_other_does(config: Config) -> None:
    stage = Stage(config)
    stage.join("sensors")
    stage.loop.loop.turn(0.0)
    deaf, counts = stage.clients["sensors"], stage.loop.shell.counts
    asks = 0
    while counts["replies_dropped"] == 0:
        asks += 1
        assert asks < 10_000, "the socket has no end, so nothing was tested"
        assert deaf.send(said("AskStatus", id=asks))
        stage.loop.loop.turn(time.monotonic() + DEADLINE_S)
    assert counts["replies_dropped"] == 1
    heard = []
    while (answer := deaf.recv()) is not None:
        heard.append(answer.id)
    assert heard == list(range(1, asks))
    assert heard


# --- the guard ------------------------------------------------------------------------------------


@pytest.mark.req("SHL-029")
@pytest.mark.parametrize(("room", "stays"), [(1, True), (0, False)])
def test_a_guard_is_let_go_when_its_queue_is_full_and_no_message_earlier(
    config: Config, room: int, stays: bool
) -> None:
    stage = Stage(config)
    stage.join("guard")
    stage.until(stage.clients["guard"].recv)
    rank, queue = stage.loop.ranks["guard"], stage.loop.shell.to_guard
    sent = 0
    while not rank.outbox:
        assert sent < 9_000, "the socket has no end, so nothing was tested"
        queue.append(CancelAll(epoch=sent))
        stage.loop.step()
        sent += 1
    queue.extend([CancelAll(epoch=0)] * (GUARD_QUEUE_MAX - room - len(rank.outbox)))
    stage.loop.step()
    assert len(rank.outbox) == GUARD_QUEUE_MAX - room
    assert len(rank.channels) == stays


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.req("SHL-033")
def test_a_loop_that_is_told_to_stop_leaves_its_account_a_line_for_each_figure(
    config: Config,
) -> None:
    loop = Watched(config)
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
