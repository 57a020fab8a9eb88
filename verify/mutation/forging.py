"""Forgeries of journals in which all that follows is recomputed, checksums and digests too.

Rules of this file:

*   A ``Forgery`` is one change of one record's outputs or claimed state. A forged input folded
    again is a legal history, which only an anchor's MAC tells from the true one: not here.
*   ``forgeries`` draws them in turn over all columns, kinds and parts of a record, by the generator
    it is given; ``forged`` returns the journal's bytes.

Not here: the journals, and what judges a forgery (``trace.py``).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kernel.outcome import Reason
from traces.checksums import MAC_BYTES
from traces.codec import (
    EventRecord,
    limits_bytes,
    pack_record,
    row_digest,
    state_columns,
    unpack_record,
)
from traces.frames import Frame, Tag, frame, scan
from traces.header import Header, read_header
from traces.journal import CLOSING
from traces.schema import COLUMNS, KINDS


@dataclass(frozen=True)
class Original:
    """A journal taken apart: its frames' tags and bodies, its event records, the states before."""

    header: Header
    data: bytes
    frames: tuple[Frame, ...]
    records: dict[int, EventRecord]
    rows: dict[int, list[int]]


@dataclass(frozen=True)
class Forgery:
    """One record replaced. ``part`` says what was forged, ``name`` which column or kind."""

    record: EventRecord
    part: str
    name: str


def take_apart(path: Path) -> Original:
    """Read a journal for forging."""
    frames, records, rows = [], {}, {}
    row: list[int] = []
    header: Header | None = None
    data = path.read_bytes()
    for one in scan(data):
        frames.append(one)
        if one.tag == Tag.HEADER:
            header = read_header(one.body)
            row = state_columns(header.opening_state())
        if one.tag == Tag.EVENT:
            record = unpack_record(one.sequence, one.body)
            records[one.sequence], rows[one.sequence] = record, list(row)
            for code, value in record.changes:
                row[code] = value
    assert header is not None
    return Original(header, data, tuple(frames), records, rows)


def forged(original: Original, forgery: Forgery) -> bytes:
    """Return the forged journal: digests, chain, CRCs and the closing counts made to fit."""
    limits = limits_bytes(original.header.limits)
    place = forgery.record.sequence
    row = list(original.rows[place])
    data = original.data[: original.frames[place].offset]
    chain = original.frames[place].before
    before = [original.records[n] for n in original.records if n < place]
    events, accepted = len(before), sum(record.reason == 0 for record in before)
    for one in original.frames[place:]:
        sequence, tag, body = one.sequence, one.tag, one.body
        if tag == Tag.EVENT:
            record = original.records[sequence]
            if sequence == place:
                record = forgery.record
            for code, value in record.changes:
                row[code] = value
            digest = record.digest if forgery.part == "digest" else row_digest(row, limits)
            flat = [part for change in record.changes for part in change]
            body = pack_record(record.event, record.reason, record.effects, digest, flat)
            events, accepted = events + 1, accepted + (record.reason == 0)
        if tag == Tag.CLOSE:
            body = CLOSING.pack(events, accepted, bytes(MAC_BYTES))
        whole, chain = frame(sequence, tag, body, chain)
        data += whole
    return data


def _other(rng: random.Random, column: int, old: int) -> int:
    """Another value for a column: near, far, or of the other kind."""
    kind = COLUMNS[column].kind
    if kind == "bool":
        return 1 - old
    if kind != "int":
        return rng.choice([value for value in range(4) if value != old])
    near = rng.choice((old + 1, old - 1, 0, old * 2, old + rng.randrange(1, 10**6)))
    return near if near != old else old + 1


def _with(record: EventRecord, changes: dict[int, int]) -> EventRecord:
    return replace(record, changes=tuple(sorted(changes.items())))


def forge_column(
    rng: random.Random, original: Original, record: EventRecord, column: int
) -> Forgery:
    """The record claims another value for a column: one it changed, or one it left alone."""
    claimed = dict(record.changes)
    old = claimed.get(column, original.rows[record.sequence][column])
    value = _other(rng, column, old)
    if value == original.rows[record.sequence][column]:
        claimed.pop(column, None)
        return Forgery(_with(record, claimed), "state", COLUMNS[column].name)
    return Forgery(_with(record, claimed | {column: value}), "state", COLUMNS[column].name)


def forge_outcome(rng: random.Random, record: EventRecord) -> Forgery:
    """The record claims another answer."""
    reasons = [0, *(int(reason) for reason in Reason)]
    reason = rng.choice([one for one in reasons if one != record.reason])
    if reason:
        forged_record = replace(record, reason=reason, effects=0, changes=())
    else:
        forged_record = replace(record, reason=0)
    return Forgery(forged_record, "outcome", record.kind.name)


def forge_effects(rng: random.Random, record: EventRecord) -> Forgery:
    """The record claims other effects."""
    effects = rng.choice([one for one in range(8) if one != record.effects])
    return Forgery(replace(record, effects=effects), "effects", record.kind.name)


def forge_dropped(rng: random.Random, record: EventRecord) -> Forgery:
    """The record claims that something it changed stayed as it was."""
    claimed = dict(record.changes)
    column = rng.choice(sorted(claimed))
    del claimed[column]
    return Forgery(_with(record, claimed), "state", COLUMNS[column].name)


def forge_digest(rng: random.Random, record: EventRecord) -> Forgery:
    """The record claims another digest of the same state."""
    return Forgery(replace(record, digest=rng.randbytes(16)), "digest", record.kind.name)


def forgeries(
    rng: random.Random, originals: Sequence[Original], count: int
) -> Iterator[tuple[Original, Forgery]]:
    """Draw ``count`` forgeries: every column, every kind, every part, in turn."""
    by_kind = {
        kind.name: [
            (one, record)
            for one in originals
            for record in one.records.values()
            if record.kind is kind
        ]
        for kind in KINDS
    }
    kinds = [name for name, found in by_kind.items() if found]
    for number in range(count):
        original, record = rng.choice(by_kind[kinds[number % len(kinds)]])
        roll = number % 10
        if roll < 5:
            yield original, forge_column(rng, original, record, number // 2 % len(COLUMNS))
        elif roll < 7:
            yield original, forge_outcome(rng, record)
        elif roll < 8:
            yield original, forge_effects(rng, record)
        elif roll < 9 and record.changes:
            yield original, forge_dropped(rng, record)
        elif roll < 9:
            yield original, forge_outcome(rng, record)
        else:
            yield original, forge_digest(rng, record)
