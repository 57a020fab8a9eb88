"""Plays a scenario file: events in, what the kernel answered under each.

A scenario is a text a safety engineer can read. Lines that begin with ``#`` are prose. A line that
begins in the first column is an instruction; the lines indented under it are the answer, and the
test compares them to the letter. Instructions:

    open PROFILE [live] [grid]              a session with 25,000 USDT (limits: ``opened``)
    EventName field=value ...               one event; integers, true or false, or one of:
                                            now+N (its own clock), epoch, epoch+N, cash, held
    healthy N of MS                         N bars of MS with fresh, perfect sensors before each
    bars N of MS                            N bars of MS with nobody reporting
    beat MS                                 process time passes by MS with every heart beating

An answer is ``refused REASON``, or ``accepted`` with the effects and then one line for each field
of the state that changed (ages and clocks are left out: they change with every line).

``python -m tests.scenarios.player --rewrite`` writes every file's answers anew. Do that only once
the difference is understood.
"""

import dataclasses
import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import get_type_hints

from kernel import events
from kernel.constants import PPM, Profile
from kernel.events import Event
from kernel.outcome import Accepted, Outcome
from kernel.slots import quantities
from kernel.state import Limits, State, initial_state, opening_ledger
from kernel.step import step

FOLDER = Path(__file__).parent
LEFT_OUT = ("_age_ms", "_time_ms")


def opened(words: list[str]) -> State:
    """The state an ``open`` line asks for."""
    limits = Limits(
        profile=Profile[words[0].upper()],
        live="live" in words,
        grid_in_use="grid" in words,
        heartbeat_limit_ms=(30_000, 30_000, 30_000, 30_000),
        cooling_ms=10_000,
        confirm_window_ms=600_000,
        bar_ms_min=1_000,
        book_stale_ms=600_000,
    )
    return initial_state(limits, opening_ledger(25_000_000_000), 0, 0)


def value_of(text: str, name: str, state: State) -> object:
    """The value a word stands for."""
    if text in ("true", "false"):
        return text == "true"
    if text == "held":
        return quantities(state.gate)
    for word, base in (
        ("now", getattr(state.clock, name, 0)),
        ("epoch", state.gate.fence_epoch),
        ("cash", state.ledger.cash),
    ):
        if text.startswith(word):
            return base + int(text[len(word) :] or "0")
    return int(text.replace("_", ""))


def event_of(words: list[str], state: State) -> Event:
    """The event a line names."""
    kind = getattr(events, words[0])
    given = dict(word.split("=", 1) for word in words[1:])
    wanted = get_type_hints(kind)
    if set(given) != set(wanted):
        raise ValueError(f"{words[0]} takes {sorted(wanted)}, the line gives {sorted(given)}")
    event = kind(**{name: value_of(text, name, state) for name, text in given.items()})
    assert isinstance(event, Event)
    return event


def leaves(part: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every field of a state by its path."""
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        for field in dataclasses.fields(part):
            yield from leaves(getattr(part, field.name), f"{path}.{field.name}".lstrip("."))
    elif isinstance(part, tuple):
        for index, item in enumerate(part):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, part.name if isinstance(part, IntEnum) else part


def changes(before: State, after: State) -> list[str]:
    """The fields that differ, as lines."""
    return [
        f"  {path}: {old} -> {new}"
        for (path, old), (_, new) in zip(leaves(before), leaves(after), strict=True)
        if old != new and not any(word in path for word in LEFT_OUT)
    ]


def answer(before: State, outcome: Outcome) -> list[str]:
    """What the kernel said, as lines."""
    if not isinstance(outcome, Accepted):
        return [f"  refused {outcome.reason.name}"]
    effects = [
        f.name for f in dataclasses.fields(outcome.effects) if getattr(outcome.effects, f.name)
    ]
    return ["  accepted" + "".join(f", {e}" for e in effects), *changes(before, outcome.state)]


def must(state: State, event: Event) -> State:
    """The state after an event that is accepted."""
    outcome = step(state, event)
    if not isinstance(outcome, Accepted):
        raise ValueError(f"{event} was refused: {outcome.reason.name}")
    return outcome.state


def bars(state: State, count: int, dt_ms: int, healthy: bool) -> State:
    """The state after some bars."""
    for _ in range(count):
        if healthy:
            state = must(state, events.ReportForewarner(status=0))
            state = must(state, events.ReportBook(PPM, PPM, 0, 0))
        state = must(state, events.CloseBar(state.clock.market_time_ms + dt_ms))
    return state


def beating(state: State, ms: int) -> State:
    """The state after ``ms`` of process time with every heart beating."""
    end = state.clock.process_time_ms + ms
    while state.clock.process_time_ms < end:
        state = must(state, events.AdvanceTime(min(end, state.clock.process_time_ms + 10_000)))
        for partition in range(4):
            state = must(state, events.RecordHeartbeat(partition))
    return state


def played(text: str) -> str:
    """The scenario with its answers as they are now."""
    lines: list[str] = []
    state: State | None = None
    for line in text.splitlines():
        if line.startswith("  "):
            continue
        lines.append(line)
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "open":
            state = opened(words[1:])
            continue
        if state is None:
            raise ValueError("a scenario begins with an open line")
        before = state
        if words[0] in ("healthy", "bars"):
            state = bars(
                state, int(words[1]), int(words[3].replace("_", "")), words[0] == "healthy"
            )
            lines.extend(changes(before, state))
        elif words[0] == "beat":
            state = beating(state, int(words[1].replace("_", "")))
            lines.extend(changes(before, state))
        else:
            outcome = step(state, event_of(words, state))
            lines.extend(answer(before, outcome))
            if isinstance(outcome, Accepted):
                state = outcome.state
    return "\n".join(lines) + "\n"


if __name__ == "__main__" and "--rewrite" in sys.argv:
    for scenario in sorted(FOLDER.glob("*.txt")):
        scenario.write_text(played(scenario.read_text()))
