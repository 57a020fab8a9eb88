"""Four questions about a journal: intact, replayed, conformant to the model, authentic?

The first three are judged in order, each resting on the one before; the fourth needs the key:

1.  intact      checksums, chain, numbers, form, closed
2.  replayed    every record through ``kernel.step`` again, byte for byte
3.  conformant  every record a step that ``Kernel.tla`` allows; TLC is the authority
4.  authentic   every anchor, a keyed MAC over the chain's head, is right

Rules of this file:

*   A journal is judged by the version that wrote it. Where the hashes in its header are not this
    version's, the answers that rest on them are "not run", and the version that is needed is named.
*   "Not run" is None and never counts as true: nor does an answer about no event at all, nor one
    that needed a key and had none.
*   A journal may be read while it is written. What is judged is one copy of it, whose hash is
    given; where it ends without a closing record, that is said, and at which record and byte.
*   One pass reads, replays and maps; many journals go to TLC in one run (one for each ``limits``).
*   The third answer is about the journal's own claims: it is given for a journal that does not
    replay too, and does not rest on the kernel's code.

Not here: the command line (``dolphin/commands/audit.py``).
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from kernel.state import Limits
from traces.audit.coverage import Coverage
from traces.audit.explain import Explanation, explain
from traces.audit.layout import BeyondModel
from traces.audit.ndjson import NDJSON_SUFFIX, opened
from traces.audit.rows import (
    Chunk,
    Mapper,
    NotAState,
    Place,
    Points,
    new_points,
    row_count,
)
from traces.audit.tlatools import ToolMissing
from traces.audit.tlc import CHUNK_ROWS, Answer, Batch, Rejection, TlcFailed, check
from traces.codec import EventRecord, Malformed, state_columns, state_of, unpack_record
from traces.frames import Fault, JournalCorrupt, Tag, check_prefix, scan
from traces.header import Header
from traces.provenance import constants_hash, kernel_hash, spec_hash
from traces.replay import Replay, advance, check_anchor
from traces.schema import SCHEMA_HASH

ProgressCallback = Callable[[int, int], None]
BAD_INPUT = (Fault.EMPTY, Fault.FOREIGN, Fault.UNREADABLE)
ANSWERS = ("intact", "replayed", "conformant", "authentic")
NOT_CLOSED = "not closed: still being written, or ended by a crash, or cut off"
NO_EVENT = "not run: the journal holds no event"
READS_MAX = 3  # of a journal that changes while it is read


# AUD-002
@dataclass
class JournalAudit:
    """What was found out about one journal. None is "not run"."""

    path: Path
    number: int
    sha256: str = ""
    bytes: int = 0
    records: int = 0
    header: Header | None = None
    intact: bool | None = None
    fault: Fault | None = None
    fault_text: str = ""
    replayed: bool | None = None
    replay_text: str = ""
    authentic: bool | None = None
    authentic_text: str = "authenticity not checked"
    conformant: bool | None = None
    conformant_text: str = ""
    explanation: Explanation | None = None
    chunks: list[Chunk] = field(default_factory=list)
    type_rejection: Rejection | None = None
    coverage: Coverage = field(default_factory=Coverage)


# AUD-001
@dataclass
class Audit:
    """What was found out about all of them."""

    journals: list[JournalAudit]
    coverage: Coverage
    rows_judged: int = 0
    tlc_seconds: float = 0.0
    read_seconds: float = 0.0
    not_run: str = ""

    @property
    def records(self) -> int:
        """Return how many records were read."""
        return sum(one.records for one in self.journals)

    def answer(self, name: str) -> bool | None:
        """Return True where it holds of every journal, False where of one it does not."""
        values = [getattr(one, name) for one in self.journals]
        if any(value is False for value in values):
            return False
        return None if not values or any(value is None for value in values) else True

    @property
    def ok(self) -> bool:
        """Return whether every journal is intact, replayed, conformant and authentic."""
        return all(self.answer(name) is True for name in ANSWERS)

    @property
    def exit_code(self) -> int:
        """Return 0 holds, 1 does not hold, 2 bad input, 3 something was not run."""
        if any(one.fault in BAD_INPUT for one in self.journals):
            return 2
        if any(self.answer(name) is False for name in ANSWERS):
            return 1
        return 0 if self.ok else 3

    @property
    def rejection(self) -> Explanation | None:
        """Return the first rejection."""
        return next((one.explanation for one in self.journals if one.explanation), None)


# AUD-008
def not_a_journal(path: Path) -> str:
    """Return why a file is no journal at all, not even a broken one; the empty text where it is."""
    try:
        with opened(path) as data:
            check_prefix(data)
    except JournalCorrupt as error:
        return str(error) if error.finding.fault in BAD_INPUT else ""
    return ""


# --- the first pass ------------------------------------------------------------------------------


# AUD-007
def version_needed(header: Header) -> str:
    """Return why this version cannot judge the journal, "" where it can."""
    differing = [
        name
        for name, theirs, ours in (
            ("schema", header.schema_hash, SCHEMA_HASH),
            ("kernel", header.kernel_hash, kernel_hash()),
            ("constants", header.constants_hash, constants_hash()),
        )
        if theirs != ours
    ]
    if not differing:
        return ""
    return f"written by version {header.version}, another {' and '.join(differing)}: audit it there"


class _Reading:
    """One journal's pass: replay and map while there is something to judge."""

    def __init__(
        self, one: JournalAudit, key: bytes | None, points: Points | None, rows: int
    ) -> None:
        self.one = one
        self.key = key
        self.points = points
        self.chunk_rows = rows
        self.replay = Replay()
        self.mapper: Mapper | None = None
        self.needs = ""
        self.end = 0

    def take(self, frame: Any) -> None:
        one, replay = self.one, self.replay
        one.records += 1
        self.end = frame.end
        if self.needs or replay.divergence is not None:
            check_anchor(replay, frame, self.key)
        else:
            advance(replay, frame, self.key, one.coverage.watch)
        if frame.sequence == 0 and replay.header is not None:
            self._header(replay.header)
        elif frame.tag == Tag.EVENT and self.mapper is not None:
            self._map(unpack_record(frame.sequence, frame.body))

    def _header(self, header: Header) -> None:
        self.one.header = header
        self.needs = version_needed(header)
        if self.needs or self.points is None:
            return
        opening = state_columns(header.opening_state())
        self.mapper = Mapper(self.one.number, opening, self.points, self.chunk_rows)
        self.one.chunks = self.mapper.chunks

    def _map(self, record: EventRecord) -> None:
        assert self.mapper is not None
        try:
            self.mapper.take(record)
        except NotAState as error:
            place = Place(self.one.number, record.sequence)
            self.one.type_rejection = Rejection(place, "type", (("type", str(error), ""),))
            self.mapper = None
        except BeyondModel as error:
            self.one.conformant_text = f"not run: record {record.sequence}: {error}"
            self.mapper = None


def _conclude(reading: _Reading, broken: JournalCorrupt | None, size: int) -> None:
    one, replay = reading.one, reading.replay
    whole = f"the last whole record is {one.records - 1}, which ends at byte {reading.end}"
    if broken is not None and not (replay.closed and broken.finding.fault == Fault.TORN):
        one.intact, one.fault, one.fault_text = False, broken.finding.fault, str(broken)
        if broken.finding.fault == Fault.NEWER:
            one.intact = None
            one.replay_text = one.conformant_text = "not run: another schema version"
        if broken.finding.fault == Fault.TORN:
            one.fault_text += f"; {NOT_CLOSED}" + (f"; {whole}" if one.records else "")
    elif not replay.closed:
        one.intact, one.fault = False, Fault.NOT_CLOSED
        one.fault_text = f"{NOT_CLOSED}; {whole}"
    elif reading.end != size:
        one.intact, one.fault = False, Fault.AFTER_CLOSE
        one.fault_text = (
            f"{size - reading.end} bytes follow the closing record, record {one.records - 1}, "
            f"which ends at byte {reading.end}; a closed journal ends with it"
        )
    else:
        one.intact = True
    if one.header is None:
        return
    if reading.needs:
        one.replay_text = one.conformant_text = f"not run: {reading.needs}"
    elif replay.divergence is not None:
        one.replayed, one.replay_text = False, replay.divergence.text()
    elif replay.events == 0:
        one.replay_text = one.conformant_text = NO_EVENT
    else:
        one.replayed = True
        one.replay_text = f"{replay.events} events, {replay.accepted} accepted"
    _authenticity(one, replay, reading.key)


# JNL-022
def _authenticity(one: JournalAudit, replay: Replay, key: bytes | None) -> None:
    assert one.header is not None
    one.authentic = replay.authentic
    if key is None:
        one.authentic_text += (
            f": it needs the key {one.header.anchor_key}, which the journal's header names"
            if one.header.anchor_every
            else ": the journal carries no anchors"
        )
    elif replay.authentic is False:
        if replay.forged_at:
            text = f"the anchor at record {replay.forged_at} is not the key's"
            one.authentic_text = f"{text}: forged after record {max(0, replay.anchored_to)}"
        elif one.header.anchor_every == 0:
            one.authentic_text = "the journal carries no anchors"
        else:
            one.authentic_text = f"anchored with another key ({one.header.anchor_key})"
    elif replay.anchored_to < 0:
        one.authentic, one.authentic_text = None, "authenticity not checked: no anchor was reached"
    else:
        one.authentic_text = f"anchored up to record {replay.anchored_to}"


def _sha256(path: Path, data: bytes) -> str:
    """Return the hash of the file: of the very copy that is judged, where that is the file's."""
    if path.suffix == NDJSON_SUFFIX:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(data).hexdigest()


def _changed(path: Path, data: bytes) -> bool:
    """Return whether the file holds something else by now."""
    try:
        with opened(path) as now:
            return now != data
    except JournalCorrupt:
        return True


# AUD-005
def read_journal(
    path: Path,
    number: int,
    points: Points | None,
    *,
    key: bytes | None = None,
    chunk_rows: int = CHUNK_ROWS,
    told: ProgressCallback | None = None,
) -> JournalAudit:
    """Return the first two answers about a journal, and its rows for the third if ``points``.

    ``told`` hears (bytes read, bytes in all) now and then. A copy taken in the midst of a write may
    look damaged, with a later record in it and an earlier one not: where one looks so and the file
    has changed since, it is read again.
    """
    for attempt in range(READS_MAX):
        one = JournalAudit(path, number)
        reading = _Reading(one, key, points, chunk_rows)
        data: bytes = b""
        broken: JournalCorrupt | None = None
        try:
            with opened(path) as data:
                one.bytes, one.sha256 = len(data), _sha256(path, data)
                for frame in scan(data):
                    reading.take(frame)
                    if told is not None and frame.sequence % 2048 == 0:
                        told(frame.end, len(data))
                if told is not None:
                    told(len(data), len(data))
        except JournalCorrupt as error:
            broken = error
        except Malformed as error:
            text = f"record {one.records - 1}: {error}"
            one.fault, one.fault_text, one.intact = Fault.FORM, text, False
            return one
        damaged = broken is not None and broken.finding.fault not in (Fault.TORN, *BAD_INPUT)
        if damaged and attempt + 1 < READS_MAX and _changed(path, data):
            continue
        _conclude(reading, broken, len(data))
        break
    return one


# --- the third answer ----------------------------------------------------------------------------


def _record_and_state(one: JournalAudit, record: int) -> tuple[EventRecord | None, Any]:
    """Read the journal again up to a record: the record, and the state claimed before it."""
    assert one.header is not None
    row = state_columns(one.header.opening_state())
    found: EventRecord | None = None
    with opened(one.path) as data:
        for frame in scan(data):
            if frame.tag != Tag.EVENT:
                continue
            claim = unpack_record(frame.sequence, frame.body)
            if frame.sequence == record:
                found = claim
                break
            for code, value in claim.changes:
                row[code] = value
    try:
        return found, state_of(row, one.header.limits)
    except ValueError:
        return found, None


# AUD-003, AUD-004
def _reject(one: JournalAudit, rejection: Rejection) -> None:
    record, state = _record_and_state(one, rejection.place.record)
    one.conformant = False
    one.explanation = explain(rejection, one.path.name, record, state)
    one.conformant_text = f"record {rejection.place.record} is not a step of the model"


def _sampled(chunks: Sequence[tuple[Limits, Chunk]], most: int) -> list[tuple[Limits, Chunk]]:
    """Return about ``most`` rows' worth of whole chunks, evenly spread, the first among them."""
    rows = row_count([chunk for _, chunk in chunks])
    return list(chunks) if most <= 0 or rows <= most else list(chunks[:: -(-rows // most)])


def judge(
    audit: Audit,
    points: Points,
    *,
    sample: int = 0,
    workers: int = 2,
    told: ProgressCallback | None = None,
) -> None:
    """Fill in the third answer with TLC's. ``sample`` > 0 bounds the rows that are judged."""
    part = [one for one in audit.journals if one.header is not None and one.chunks]
    if not part:
        return
    whole = [(one.header.limits, chunk) for one in part if one.header for chunk in one.chunks]
    total = row_count([chunk for _, chunk in whole])
    chosen = _sampled(whole, sample)
    groups: dict[Limits, list[Chunk]] = {}
    for limits, chunk in chosen:
        groups.setdefault(limits, []).append(chunk)
    batches = [Batch(limits, tuple(chunks), points) for limits, chunks in groups.items()]
    tell = partial(_tell, told, total) if told is not None else None
    try:
        answer = check(batches, workers=workers, progress=tell)
    except (ToolMissing, TlcFailed) as error:
        audit.not_run = str(error)
        for one in part:
            one.conformant_text = f"not run: {error}"
        return
    audit.rows_judged = answer.rows
    audit.tlc_seconds = answer.seconds
    _give(part, answer, complete=len(chosen) == len(whole))


def _tell(told: ProgressCallback, total: int, rows: int) -> None:
    told(rows, total)


def _give(part: Sequence[JournalAudit], answer: Answer, *, complete: bool) -> None:
    first: dict[int, Rejection] = {}
    for rejection in answer.rejections:
        first.setdefault(rejection.place.journal, rejection)
    for one in part:
        both = [r for r in (first.get(one.number), one.type_rejection) if r is not None]
        if both:
            _reject(one, min(both, key=lambda r: r.place.record))
        elif one.conformant_text:
            continue
        elif one.header is not None and one.header.spec_hash != spec_hash():
            one.conformant_text = f"not run: written under other models ({one.header.version})"
        elif not complete:
            one.conformant_text = "not run: a sample of the records was judged, and holds"
        else:
            one.conformant = True
            one.conformant_text = f"{row_count(one.chunks)} records"


# AUD-001
def audit_journals(
    paths: Sequence[Path],
    *,
    key: bytes | None = None,
    tlc: bool = True,
    sample: int = 0,
    workers: int = 2,
    chunk_rows: int = CHUNK_ROWS,
    reading: ProgressCallback | None = None,
    judging: ProgressCallback | None = None,
) -> Audit:
    """Return all answers about all journals."""
    begun = time.monotonic()
    points = new_points()
    journals = [
        read_journal(
            path, number, points if tlc else None, key=key, chunk_rows=chunk_rows, told=reading
        )
        for number, path in enumerate(paths)
    ]
    coverage = Coverage()
    for one in journals:
        coverage.answers.update(one.coverage.answers)
        coverage.edges.update(one.coverage.edges)
    audit = Audit(journals, coverage, read_seconds=time.monotonic() - begun)
    if not tlc:
        audit.not_run = "TLC was not asked (--no-tlc)"
        for one in journals:
            one.conformant_text = one.conformant_text or "not run: TLC was not asked"
        return audit
    judge(audit, points, sample=sample, workers=workers, told=judging)
    return audit
