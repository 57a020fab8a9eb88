"""Coalescing ticks changes nothing but the number of records."""

import dataclasses
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.events import AdvanceTime, RecordHeartbeat
from kernel.outcome import Accepted, Outcome
from kernel.state import State
from kernel.step import step
from tests.kernel.sessions import fresh, one_event
from tests.traces.samples import Step
from traces.ticks import Ticks, is_quiet

GAPS = st.lists(
    st.one_of(st.integers(0, 3), st.integers(0, 40_000), st.integers(0, 2 * 10**9)), max_size=30
)


def walk_in_ticks(seed: int, gaps: list[int]) -> tuple[list[Step], State]:
    """A random session with runs of ticks between its events."""
    rng = random.Random(seed)
    state = fresh()
    steps: list[Step] = []

    def take(event: object) -> None:
        nonlocal state
        outcome = step(state, event)  # type: ignore[arg-type]  # an event of either source
        steps.append((state, event, outcome))  # type: ignore[arg-type]  # as above
        if isinstance(outcome, Accepted):
            state = outcome.state

    for gap in gaps:
        for _ in range(rng.randrange(4)):
            take(AdvanceTime(process_time_ms=state.clock.process_time_ms + gap // 4))
        if rng.random() < 0.3:
            take(RecordHeartbeat(partition=rng.randrange(4)))
        if rng.random() < 0.5:
            take(one_event(rng, state))
    return steps, state


@pytest.mark.req("JNL-027")
@pytest.mark.random
@given(seed=st.integers(0, 2**32), gaps=GAPS)
def test_the_fold_of_what_is_written_is_the_fold_of_all(seed: int, gaps: list[int]) -> None:
    steps, final = walk_in_ticks(seed, gaps)
    ticks = Ticks()
    written = [pair for one in steps for pair in ticks.take(*one)]
    written += ticks.flush()
    assert len(written) + ticks.coalesced == len(steps)
    state = fresh()
    for event, outcome in written:
        again = step(state, event)
        assert again == outcome
        if isinstance(again, Accepted):
            state = again.state
    assert state == final


@pytest.mark.req("JNL-027", "JNL-001")
def test_a_second_of_silence_is_one_record() -> None:
    state = fresh()
    ticks = Ticks()
    written = []
    for now in range(1, 1001):
        event = AdvanceTime(process_time_ms=now)
        outcome = step(state, event)
        assert isinstance(outcome, Accepted)
        written += ticks.take(state, event, outcome)
        state = outcome.state
    assert written == []
    ((event, outcome),) = ticks.flush()
    assert event == AdvanceTime(process_time_ms=1000)
    assert outcome == Accepted(state, outcome.effects)  # type: ignore[union-attr]  # accepted above
    assert ticks.flush() == ()


@pytest.mark.req("JNL-028")
def test_a_tick_that_kills_or_is_refused_is_not_quiet() -> None:
    state = fresh()
    late = AdvanceTime(process_time_ms=30_001)
    killed = step(state, late)
    assert isinstance(killed, Accepted)
    assert killed.state.killswitch.killed
    assert not is_quiet(state, late, killed)
    early = AdvanceTime(process_time_ms=-1)
    assert not is_quiet(state, early, step(state, early))
    beat = RecordHeartbeat(partition=0)
    assert not is_quiet(state, beat, step(state, beat))


@pytest.mark.req("JNL-027")
def test_the_pending_tick_comes_before_what_follows() -> None:
    state = fresh()
    tick = AdvanceTime(process_time_ms=7)
    outcome = step(state, tick)
    assert isinstance(outcome, Accepted)
    ticks = Ticks()
    assert ticks.take(state, tick, outcome) == ()
    beat = RecordHeartbeat(partition=1)
    answer = step(outcome.state, beat)
    assert [e for e, _ in ticks.take(outcome.state, beat, answer)] == [tick, beat]


# --- which ticks are quiet: those that only let time pass ----------------------------------------


BEAT = RecordHeartbeat(partition=0)


TICK = AdvanceTime(process_time_ms=5)


OTHERWISE: list[tuple[str, Callable[[State], State]]] = [
    ("killed", lambda s: dataclasses.replace(
        s, killswitch=dataclasses.replace(s.killswitch, killed=True))),
    ("survival", lambda s: dataclasses.replace(s, survival=dataclasses.replace(s.survival))),
    ("machine", lambda s: dataclasses.replace(s, machine=dataclasses.replace(s.machine))),
    ("gate", lambda s: dataclasses.replace(s, gate=dataclasses.replace(s.gate))),
    ("ledger", lambda s: dataclasses.replace(s, ledger=dataclasses.replace(s.ledger))),
]  # fmt: skip


@pytest.mark.req("JNL-027")
def test_a_tick_that_only_lets_time_pass_is_quiet() -> None:
    state = fresh()
    outcome = step(state, TICK)
    assert is_quiet(state, TICK, outcome)
    assert not is_quiet(state, BEAT, step(state, BEAT)), "no tick"
    back = AdvanceTime(process_time_ms=-1)
    assert not is_quiet(state, back, step(state, back)), "refused"


@pytest.mark.req("JNL-028")
@pytest.mark.parametrize("change", [each for _, each in OTHERWISE], ids=[n for n, _ in OTHERWISE])
def test_a_tick_that_touches_anything_else_is_not_quiet(change: Callable[[State], State]) -> None:
    state = fresh()
    outcome: Outcome = step(state, TICK)
    assert isinstance(outcome, Accepted)
    other = dataclasses.replace(outcome, state=change(outcome.state))
    assert not is_quiet(state, TICK, other)
