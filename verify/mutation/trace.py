"""Mutants of journals: forgeries that replay and model must each find by themselves.

Theory. A journal is believed because a replay through the kernel and a walk through the model both
give every record's answer, effects and state. A forger who computes every checksum again changes
one record; both must stop at exactly that record.

Rules of this file:

*   A forgery is killed when the replay stops at the forged record and no other, and the model,
    asked about that record alone, does not allow it. A digest is the shell's, not the model's: a
    forged digest is the replay's to find.
*   The journals are the kernel's own histories to states of distinct kinds, told by the fixed seed
    of ``verify/models/sample_states.py``; after each, every stimulus. So each kind of
    event is in them, accepted and refused.
*   The forgeries are drawn by ``SEED``: the same every time. The fast lane takes fewer of them.

    python -m verify.mutation.trace [--lane full]

Not here: the forger (``forging.py``); forged inputs, cut and stripped anchors
(tests/traces/test_forgery.py).
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel.constants import Profile
from kernel.events import Event
from kernel.outcome import Accepted
from kernel.state import opening_ledger
from kernel.step import step_bare
from traces.audit.rows import Mapper, NotAState, Points, new_points
from traces.audit.tlatools import ToolMissing
from traces.audit.tlc import Batch, TlcFailed, check
from traces.codec import DeltaEncoder, state_of
from traces.frames import scan
from traces.header import Header, new_header
from traces.journal import JournalWriter
from traces.provenance import ROOT
from traces.replay import Replay, advance
from traces.schema import KINDS
from verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
)
from verify.models.moves import MARKET_TIME_MS, event_of, stimuli
from verify.models.sample_states import (
    OPENING_CASH,
    PROCESS_AHEAD_MS,
    harvest,
    holds,
    replay_limits,
)
from verify.mutation.forging import Forgery, Original, forged, forgeries, take_apart
from verify.store import Store

SEED = 20260601
COUNTS = {FAST: 60, FULL: 1_100}
JOURNALS = 4  # of each profile
Drawn = Sequence[tuple[Original, Forgery]]


# --- journals ------------------------------------------------------------------------------------


def session_header(profile: Profile) -> Header:
    """Return the header of a session under the limits of the replayed graphs."""
    return new_header(
        "forgery", replay_limits(profile), opening_ledger(OPENING_CASH),
        MARKET_TIME_MS + PROCESS_AHEAD_MS, MARKET_TIME_MS,
    )  # fmt: skip


def histories(profile: Profile) -> Iterator[tuple[Event, ...]]:
    """Yield what leads to states of distinct kinds: half of them with a position or a permit."""
    seeds = harvest(profile, 240)
    held = [seed for seed in seeds if holds(seed.state)]
    free = [seed for seed in seeds if not holds(seed.state)]
    for place in range(JOURNALS):
        kind = held if place % 2 else free
        yield kind[len(kind) * (place + 1) // (JOURNALS + 1)].history


def write_session(
    path: Path, profile: Profile, history: Sequence[Event], rng: random.Random
) -> None:
    """Journal a history, and after it every stimulus in some order."""
    header = session_header(profile)
    state = header.opening_state()
    moves = list(stimuli())
    rng.shuffle(moves)
    with JournalWriter.create(path, header) as journal:
        for place in range(len(history) + len(moves)):
            if place < len(history):
                event = history[place]
            else:
                event = event_of(moves[place - len(history)], state)
            outcome = step_bare(state, event)
            journal.record(state, event, outcome)
            state = outcome.state if isinstance(outcome, Accepted) else state


def originals() -> list[Original]:
    """Return sound journals in which every kind of event occurs."""
    found = []
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="dolphin-forgery-") as scratch:
        for profile in Profile:
            for number, history in enumerate(histories(profile)):
                path = Path(scratch) / f"{profile.name}-{number}.journal"
                write_session(path, profile, history, rng)
                found.append(take_apart(path))
    kinds = {record.kind.name for one in found for record in one.records.values()}
    missing = {kind.name for kind in KINDS} - kinds
    if missing:
        raise AssertionError(f"no journal has {', '.join(sorted(missing))}")
    return found


# --- the two judges ------------------------------------------------------------------------------


def replay_rejects(data: bytes) -> int | None:
    """Return the record at which a replay of a journal's bytes stops, None where it does not."""
    replay = Replay()
    for one in scan(data):
        advance(replay, one)
        if replay.divergence is not None:
            return replay.divergence.record
    return None


def replay_rejects_from(original: Original, forgery: Forgery, data: bytes) -> int | None:
    """The same, begun at the forged record: before it the bytes are the sound journal's."""
    header, record = original.header, forgery.record
    fold = DeltaEncoder(state_of(original.rows[record.sequence], header.limits))
    replay = Replay(header=header, fold=fold)
    for one in scan(data):
        if one.sequence >= record.sequence:
            advance(replay, one)
        if replay.divergence is not None:
            return replay.divergence.record
    return None


def step_alone(original: Original, forgery: Forgery, number: int, points: Points) -> Mapper | None:
    """Return the forged record as a chunk of its own; None where its claim is no state at all."""
    record = forgery.record
    mapper = Mapper(number, original.rows[record.sequence], points, 1)
    mapper.chunks[0].opening = False
    try:
        mapper.take(record)
    except NotAState:
        return None
    return mapper


def rejected_by_model(drawn: Drawn, workers: int = 2) -> frozenset[int]:
    """Return the numbers of the forgeries that the model alone does not allow.

    A claim that is no state of the model is rejected; a forged digest is not the model's to see.
    Raises ``ToolMissing`` and ``TlcFailed``.
    """
    points = new_points()
    rejected: set[int] = set()
    groups: dict[Profile, list[Mapper]] = {profile: [] for profile in Profile}
    limits = {one.header.limits.profile: one.header.limits for one, _ in drawn}
    for number, (original, forgery) in enumerate(drawn):
        if forgery.part == "digest":
            continue
        mapper = step_alone(original, forgery, number, points)
        if mapper is None:
            rejected.add(number)
        else:
            groups[original.header.limits.profile].append(mapper)
    batches = [
        Batch(limits[profile], tuple(one.chunks[0] for one in mappers), points)
        for profile, mappers in groups.items()
        if mappers
    ]
    if batches:
        rejected |= {one.place.journal for one in check(batches, workers=workers).rejections}
    return frozenset(rejected)


# --- the item ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reckoning:
    """What both judges said of every forgery."""

    total: int
    replay: int
    model: int
    digests: int
    killed: int
    missed: tuple[str, ...]


def reckon(drawn: Drawn, stopped: Sequence[int | None], model: frozenset[int]) -> Reckoning:
    """Return the reckoning of forgeries, where their replays stopped and what the model rejects."""
    missed, by = [], Counter[str]()
    for number, (_, forgery) in enumerate(drawn):
        at = forgery.record.sequence
        digest = forgery.part == "digest"
        replayed, modelled = stopped[number] == at, number in model
        by["replay"] += replayed
        by["model"] += modelled
        by["digest"] += digest
        if replayed and (modelled or digest):
            by["killed"] += 1
            continue
        said = [] if replayed else [f"the replay stopped at {stopped[number]}"]
        said += [] if modelled or digest else ["the model allows it"]
        missed.append(
            f"forgery {number}: record {at}, {forgery.record.kind.name}, {forgery.part} "
            f"{forgery.name}: {' and '.join(said)}"
        )
    return Reckoning(
        len(drawn), by["replay"], by["model"], by["digest"], by["killed"], tuple(missed)
    )


def run(context: Context) -> Outcome:
    """Forge, replay, ask the model."""
    sound = originals()
    drawn = list(forgeries(random.Random(SEED), sound, COUNTS[context.lane]))
    stopped: list[int | None] = []
    for number, (original, forgery) in enumerate(drawn):
        data = forged(original, forgery)
        found = replay_rejects_from(original, forgery, data)
        if number % 25 == 0 and replay_rejects(data) != found:
            found = None  # a replay from the start says otherwise: not found
        stopped.append(found)
        context.tell(number + 1, len(drawn) + 1, "forgeries replayed")
    try:
        model = rejected_by_model(drawn, context.jobs)
    except (ToolMissing, TlcFailed) as error:
        return Outcome(NOT_RUN, f"the model was not asked: {error}")
    context.tell(len(drawn) + 1, len(drawn) + 1, "forgeries judged by the model")
    reckoned = reckon(drawn, stopped, model)
    figures: dict[str, object] = {
        "total": reckoned.total,
        "killed": reckoned.killed,
        "justified": 0,
        "by": {"replay": reckoned.replay, "model": reckoned.model},
        "digest_alone": reckoned.digests,
        "columns": len({f.name for _, f in drawn if f.part == "state"}),
        "kinds": len({f.record.kind.name for _, f in drawn}),
        "journals": len(sound),
    }
    detail = (
        f"{reckoned.killed} of {reckoned.total} forgeries found at their record "
        f"by replay and by the model"
    )
    status = DOES_NOT_HOLD if reckoned.missed else HOLDS
    return Outcome(status, detail, {"trace": figures}, reckoned.missed)


ITEM = Item(
    name="trace-mutants",
    claim="every forged journal is rejected at the forged record, by replay and by the model alone",
    section="mutation",
    inputs=(
        "kernel/**/*.py", "traces/**/*.py", "spec/tla/*.tla", "verify/models/*.py",
        "verify/mutation/forging.py", "verify/mutation/trace.py",
    ),
    seconds={FAST: 20.0, FULL: 90.0},
    run=run,
    samples=True,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the forgeries and write the figures; the exit code is the item's."""
    parser = argparse.ArgumentParser(prog="python -m verify.mutation.trace")
    parser.add_argument("--lane", choices=(FAST, FULL), default=FAST)
    asked = parser.parse_args(arguments)
    tell: Callable[[int, int, str], None] = lambda done, total, what: None  # noqa: E731  (no bar)
    store = Store.of(ROOT)
    outcome = run(Context(asked.lane, ROOT, store, tell))
    sys.stdout.write(json.dumps({"status": outcome.status, **outcome.figures}, indent=1) + "\n")
    sys.stderr.write("".join(f"{line}\n" for line in (outcome.detail, *outcome.findings)))
    return {HOLDS: 0, DOES_NOT_HOLD: 1, NOT_RUN: 3}[outcome.status]


if __name__ == "__main__":
    raise SystemExit(main())
