"""Journals for tests: walked at random through the kernel, written by the real writer.

Not a test. ``walk`` gives steps; ``write`` journals them; ``sample`` does both.
"""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from kernel.constants import Profile
from kernel.events import Event
from kernel.outcome import Accepted, Outcome
from kernel.state import State, opening_ledger
from kernel.step import step
from tests.kernel.sessions import OPENING_CASH, limits_of, one_event
from traces.checksums import key_id
from traces.header import Header, new_header
from traces.journal import JournalWriter

KEY = bytes(range(32))
Step = tuple[State, Event, Outcome]


def header_of(
    profile: Profile = Profile.BIBLE,
    *,
    key: bytes | None = None,
    every: int = 100,
    grid_in_use: bool = False,
) -> Header:
    """A header of this version for a session of 25,000 USDT."""
    return new_header(
        "sample",
        limits_of(profile, grid_in_use=grid_in_use),
        opening_ledger(OPENING_CASH),
        0,
        0,
        stand_ins={"forewarner": "volatility of the bars"},
        anchor_every=every if key else 0,
        anchor_key=key_id(key) if key else "",
    )


def walk(seed: int, count: int, state: State) -> Iterator[Step]:
    """Random steps from ``state``, as tests/kernel walks them."""
    rng = random.Random(seed)
    for _ in range(count):
        event = one_event(rng, state)
        outcome = step(state, event)
        yield state, event, outcome
        if isinstance(outcome, Accepted):
            state = outcome.state


def write(path: Path, header: Header, steps: Iterable[Step], key: bytes | None = None) -> Path:
    """Journal the steps and close."""
    with JournalWriter.create(path, header, key=key) as journal:
        for before, event, outcome in steps:
            journal.record(before, event, outcome)
    return path


def sample(
    path: Path, seed: int, count: int, profile: Profile = Profile.BIBLE, key: bytes | None = None
) -> Path:
    """A closed journal of ``count`` random steps."""
    header = header_of(profile, key=key)
    return write(path, header, walk(seed, count, header.opening_state()), key)
