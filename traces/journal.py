"""The journal's writer.

What it promises. A record is *acknowledged* when ``commit`` has returned: its bytes are then in the
kernel's page cache, and survive the SIGKILL of any process. A power loss may cost the records since
the last sync, which a thread of its own makes (a sync can take 14 ms and is never in the kill
path). Records are written in order: of several, a prefix survives.

What it does when it cannot write. ``commit`` raises ``JournalFailure`` and keeps everything in
memory. The shell tells the kernel (``FailJournal``), whose record joins the others; effects that
reduce risk go out even so. When a later ``commit`` succeeds, nothing is missing and nothing is out
of order, and the shell says ``RestoreJournal``.

Rules of this file:

*   The shell calls ``record`` for every step, refusals included, then ``commit`` before it releases
    the step's effects. A batch of steps may share one ``commit``.
*   The file is preallocated and zero, so a write changes no metadata; ``close`` cuts it to size.
*   With a key, an anchor follows every ``anchor_every`` event records and stands before the closing
    record, which carries a MAC of its own: a journal cut at an anchor cannot be closed again.
*   One writer per file, held by a lock.
*   A journal is there whole or not at all: its beginning is written under another name, which
    becomes its own when the header stands. What fails or dies before that bars no later start.

Not here: reading (``reader``), taking up a journal after a crash (``recovery``).
Sources: design 3.6, 7.
"""

import fcntl
import os
import struct
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kernel.events import Event
from kernel.outcome import Accepted, Outcome
from kernel.state import State
from traces.checksums import MAC_BYTES, anchor_mac, closing_mac, key_id
from traces.codec import DeltaEncoder, canonical
from traces.frames import Tag, first_chain, frame, prefix
from traces.header import Header, header_bytes
from traces.ticks import Ticks

ANCHOR_EVERY: Final[int] = 1_000
PREALLOCATE_BYTES: Final[int] = 4 << 20
SYNC_SECONDS: Final[float] = 0.1
CLOSING: Final = struct.Struct(f"<QQ{MAC_BYTES}s")


class JournalFailure(Exception):
    """The journal cannot be written now; the message says why."""


# JNL-041
class Syncer:
    """Makes what was written survive a power loss: fdatasync, in a thread, at an interval."""

    def __init__(self, descriptor: int, seconds: float) -> None:
        self.failure: OSError | None = None
        self._descriptor = descriptor
        self._seconds = seconds
        self._dirty = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """Say that there is something to sync."""
        self._dirty.set()

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        self._stop.set()
        self._dirty.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._dirty.wait()
            self._dirty.clear()
            try:
                os.fdatasync(self._descriptor)
            except OSError as error:
                self.failure = error
            self._stop.wait(self._seconds)


class JournalWriter:
    """Writes one journal. Made by ``create`` or by ``recovery.resume``."""

    def __init__(
        self,
        path: Path,
        descriptor: int,
        header: Header,
        fold: DeltaEncoder,
        *,
        key: bytes | None,
        sequence: int,
        chain: bytes,
        offset: int,
        events: int,
        accepted: int,
        since_anchor: int,
        sync_seconds: float = SYNC_SECONDS,
    ) -> None:
        self.path = path
        self.header = header
        self.events = events
        self.failed = False
        self._fold = fold
        self._ticks = Ticks()
        self._key = key
        self._sequence = sequence
        self._chain = chain
        self._offset = offset
        self._allocated = offset
        self._accepted = accepted
        self._since_anchor = since_anchor
        self._buffer: list[bytes] = []
        self._descriptor = descriptor
        self._syncer = Syncer(descriptor, sync_seconds)
        self._overflowed = ""
        self._closed = False

    # JNL-026, JNL-045
    @classmethod
    def create(
        cls,
        path: Path,
        header: Header,
        *,
        key: bytes | None = None,
        sync_seconds: float = SYNC_SECONDS,
    ) -> Self:
        """Begin a journal at ``path``, which must not exist.

        A key goes with a header that names it (``with_anchor``). Raises ``FileExistsError``,
        ``ValueError``, or ``JournalFailure`` where the header cannot be written.
        """
        named = "" if key is None else key_id(key)
        if header.anchor_key != named or (header.anchor_every > 0) != (key is not None):
            raise ValueError("the header's anchor and the key do not belong together")
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
        unfinished.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(unfinished, flags, 0o640)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        start = prefix(header.schema_version)
        writer = cls(
            path, descriptor, header, DeltaEncoder(header.opening_state()),
            key=key, sequence=0, chain=first_chain(start), offset=0, events=0, accepted=0,
            since_anchor=0, sync_seconds=sync_seconds,
        )  # fmt: skip
        writer._buffer.append(start)
        writer._frame(Tag.HEADER, header_bytes(header))
        try:
            writer.commit()
            os.link(unfinished, path)
        except BaseException:
            writer.abandon()
            raise
        finally:
            unfinished.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return writer

    # --- what the shell says -----------------------------------------------------------------

    @property
    def state(self) -> State:
        """Return the state of the last written record; a pending tick is not in it."""
        return self._fold.state

    @property
    def sequence(self) -> int:
        """Return the number that the next record will have."""
        return self._sequence

    @property
    def coalesced(self) -> int:
        """Return how many quiet ticks needed no record."""
        return self._ticks.coalesced

    # JNL-001
    def record(self, before: State, event: Event, outcome: Outcome) -> None:
        """Take one step: ``outcome`` is what the kernel answered to ``event`` in ``before``."""
        for one, answer in self._ticks.take(before, event, outcome):
            self._event(one, answer)

    # JNL-023
    def record_operator(
        self, before: State, event: Event, outcome: Outcome, *, who: str, why: str
    ) -> None:
        """Take an operator's step and the words its numbers stand for (``checksums.number_of``)."""
        self.flush_ticks()
        self.note({"kind": "operator", "who": who, "why": why})
        self.record(before, event, outcome)

    def note(self, data: dict[str, str | int]) -> None:
        """Write words that belong beside the events. No verdict rests on them."""
        self.flush_ticks()
        self._frame(Tag.NOTE, canonical(data))

    def flush_ticks(self) -> None:
        """Write the pending tick, if there is one."""
        for event, outcome in self._ticks.flush():
            self._event(event, outcome)

    # JNL-011, JNL-024, JNL-025
    def commit(self) -> None:
        """Hand everything to the operating system; raises ``JournalFailure`` and keeps it all."""
        self._raise_known()
        data = b"".join(self._buffer)
        if not data:
            return
        try:
            self._reserve(self._offset + len(data))
            written = 0
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self._offset + written)
        except OSError as error:
            self.failed = True
            raise JournalFailure(f"{self.path}: {error.strerror}") from None
        self._offset += len(data)
        self._buffer.clear()
        self.failed = False
        self._syncer.written()

    # JNL-017
    def close(self) -> None:
        """Write the pending tick, the last anchor and the closing record; cut the file to size."""
        if self._closed:
            return
        self.flush_ticks()
        if self._key is not None and self._since_anchor:
            self._anchor()
        mac = bytes(MAC_BYTES)
        if self._key is not None:
            mac = closing_mac(self._key, self._chain, self._sequence)
        self._frame(Tag.CLOSE, CLOSING.pack(self.events, self._accepted, mac))
        self.commit()
        self._release(cut=True)

    # JNL-031
    def catch_up(self) -> None:
        """Write the anchor that a crash left out, after its record and before itself."""
        if self._key is not None and self._since_anchor == self.header.anchor_every:
            self._anchor()

    # JNL-043
    def abandon(self) -> None:
        """Let go of the file without closing the journal, as a crash would."""
        if not self._closed:
            self._release(cut=False)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close; after an exception the journal stays unclosed, and says so to its reader."""
        if kind is None:
            self.close()
        else:
            self.abandon()

    # --- how it is done ----------------------------------------------------------------------

    def _event(self, event: Event, outcome: Outcome) -> None:
        try:
            body = self._fold.body(event, outcome)
        except OverflowError as error:
            # The fold is now half a step ahead of the file: nothing more can be written.
            self._overflowed = str(error)
            return
        self._frame(Tag.EVENT, body)
        self.events += 1
        self._accepted += isinstance(outcome, Accepted)
        self._since_anchor += 1
        self.catch_up()

    # JNL-019
    def _anchor(self) -> None:
        assert self._key is not None
        self._frame(Tag.ANCHOR, anchor_mac(self._key, self._chain, self._sequence))
        self._since_anchor = 0

    def _frame(self, tag: Tag, body: bytes) -> None:
        data, self._chain = frame(self._sequence, tag, body, self._chain)
        self._buffer.append(data)
        self._sequence += 1

    def _raise_known(self) -> None:
        if self._overflowed:
            self.failed = True
            raise JournalFailure(f"{self.path}: {self._overflowed}")
        failure = self._syncer.failure
        if failure is not None:
            # Told once: a later commit that succeeds has written, and synced, again.
            self._syncer.failure = None
            self.failed = True
            raise JournalFailure(f"{self.path}: sync: {failure.strerror}")

    def _reserve(self, end: int) -> None:
        if end <= self._allocated:
            return
        more = max(PREALLOCATE_BYTES, end - self._allocated)
        os.posix_fallocate(self._descriptor, self._allocated, more)
        self._allocated += more

    def _release(self, *, cut: bool) -> None:
        self._closed = True
        self._syncer.stop()
        if cut:
            os.ftruncate(self._descriptor, self._offset)
            os.fsync(self._descriptor)
        os.close(self._descriptor)
