"""Journals made frame by frame, with whatever is to be wrong in them and everything else right.

Not a test. ``record`` and ``tags`` serve real journals, ``largest_file`` the disk that is full
under them. ``journal_of`` seals bodies into frames: numbers, chain and checksums fit, so what a
test finds is what it put into a body. ``event_records`` are what the writer would have
written.
"""

import dataclasses
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kernel.events import Event
from kernel.outcome import Accepted
from kernel.state import State
from kernel.step import step
from tests.traces.samples import KEY, header_of
from traces.checksums import MAC_BYTES, anchor_mac, closing_mac
from traces.codec import DeltaEncoder, canonical
from traces.frames import PREFIX_BYTES, Tag, first_chain, frame, prefix, scan
from traces.header import Header, header_bytes
from traces.journal import CLOSING, JournalWriter

NO_MAC = bytes(MAC_BYTES)


def journal_of(*records: tuple[int, bytes]) -> bytes:
    """The journal of these tags and bodies, in order."""
    data = prefix()
    chain = first_chain(data)
    for sequence, (tag, body) in enumerate(records):
        whole, chain = frame(sequence, tag, body, chain)
        data += whole
    return data


def head(data: bytes) -> bytes:
    """The chain value after a journal's last frame."""
    return data[-21:-5] if len(data) > PREFIX_BYTES else first_chain(data)


def header_record(header: Header | None = None, **changes: Any) -> tuple[int, bytes]:
    """A header's record; ``changes`` are made to the header."""
    return Tag.HEADER, header_bytes(dataclasses.replace(header or header_of(), **changes))


def event_records(header: Header, *events: Event) -> list[tuple[int, bytes]]:
    """The records of these events, as the writer would have made them."""
    state: State = header.opening_state()
    fold = DeltaEncoder(state)
    found = []
    for event in events:
        found.append((int(Tag.EVENT), fold.body(event, step(fold.state, event))))
    return found


def note_record(**words: str | int) -> tuple[int, bytes]:
    """A note's record."""
    return Tag.NOTE, canonical(words)


def close_record(events: int, accepted: int, mac: bytes = NO_MAC) -> tuple[int, bytes]:
    """A closing record."""
    return Tag.CLOSE, CLOSING.pack(events, accepted, mac)


def anchored(*records: tuple[int, bytes], key: bytes = KEY) -> tuple[int, bytes]:
    """The anchor that belongs behind these records."""
    return Tag.ANCHOR, anchor_mac(key, head(journal_of(*records)), len(records))


def closed(
    *records: tuple[int, bytes], events: int, accepted: int, key: bytes = KEY
) -> tuple[int, bytes]:
    """The closing record with its MAC that belongs behind these records."""
    mac = closing_mac(key, head(journal_of(*records)), len(records))
    return close_record(events, accepted, mac)


def write(path: Path, *records: tuple[int, bytes]) -> Path:
    """Write the journal of these records."""
    path.write_bytes(journal_of(*records))
    return path


def record(journal: JournalWriter, state: State, event: Event) -> State:
    """Step, record, and return the state after."""
    outcome = step(state, event)
    journal.record(state, event, outcome)
    return outcome.state if isinstance(outcome, Accepted) else state


def tags(path: Path) -> list[int]:
    """The tags of a journal's frames."""
    return [frame.tag for frame in scan(path.read_bytes())]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows past ``size``: what a full disk does to a journal or a book."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
