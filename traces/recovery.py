"""Recovery: continuing a journal after a crash.

Rules of this file:

*   A torn last record was never acknowledged: it is cut off, and reported.
*   A wrong record in the middle is corruption, and so is one that does not replay:
    ``JournalCorrupt``, and the kernel does not start on it.
*   A closed journal is not taken up again: the next session opens its own.
*   The state is the fold of what is left. The shell then says ``RestartKernel``, and the kernel
    comes up in HIBERNATE behind a new fence (design 3.6).

Not here: reading for judgement (``audit``), which never changes a file.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from kernel.state import State
from traces.checksums import key_id
from traces.frames import Fault, Finding, JournalCorrupt, scan
from traces.journal import SYNC_SECONDS, JournalWriter
from traces.reader import opened
from traces.replay import Replay, advance


@dataclass(frozen=True)
class Recovery:
    """What was found: the state to go on from, the events behind it, and what was cut off."""

    state: State
    events: int
    cut: str


def _fold(path: Path, key: bytes | None) -> tuple[Replay, str]:
    replay, cut = Replay(), ""
    with opened(path) as data:
        try:
            for frame in scan(data):
                advance(replay, frame, key)
                if replay.divergence is not None:
                    text = f"does not replay: {replay.divergence.text()}"
                    raise JournalCorrupt(Finding(Fault.FORM, frame.sequence, frame.offset, text))
        except JournalCorrupt as error:
            if error.finding.fault != Fault.TORN or replay.header is None:
                raise
            cut = error.finding.text
    return replay, cut


# JNL-029, JNL-030
def resume(
    path: Path, *, key: bytes | None = None, sync_seconds: float = SYNC_SECONDS
) -> tuple[JournalWriter, Recovery]:
    """Open an unclosed journal for writing, its torn tail cut off.

    Raises ``JournalCorrupt`` on corruption, ``ValueError`` where the key is not the journal's or
    the journal is closed, ``BlockingIOError`` where another process writes it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        replay, cut = _fold(path, key)
        header, fold, last = replay.header, replay.fold, replay.last
        if header is None or fold is None or last is None:
            raise ValueError(f"{path}: it ended before its header; begin a new journal")
        if replay.closed:
            raise ValueError(f"{path}: closed; a new session opens a new journal")
        if header.anchor_key != ("" if key is None else key_id(key)):
            raise ValueError(f"{path}: the key is not the one its header names")
        if replay.authentic is False:
            text = f"record {replay.forged_at}: the anchor is not the key's"
            raise JournalCorrupt(Finding(Fault.FORM, replay.forged_at or 0, 0, text))
        os.ftruncate(descriptor, last.end)
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    writer = JournalWriter(
        path, descriptor, header, fold,
        key=key, sequence=last.sequence + 1, chain=last.chain, offset=last.end,
        events=replay.events, accepted=replay.accepted, since_anchor=replay.since_anchor,
        sync_seconds=sync_seconds,
    )  # fmt: skip
    writer.catch_up()
    return writer, Recovery(state=fold.state, events=replay.events, cut=cut)
