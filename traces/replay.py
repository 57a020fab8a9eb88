"""Replay: every event of a journal through ``kernel.step`` again.

Rules of this file:

*   The journal's word is compared whole. The replay encodes what the kernel answers now, and the
    bytes must equal the record's body: outcome, reason, effects, digest, every changed column.
*   The first record that differs ends the replay. What follows it rests on a state that never was.
*   Replay uses ``step_bare``: the contract would check what the comparison checks anyway.
*   A record's form is judged here too: the header first, the closing record last and its counts
    right, an anchor exactly where the header promises one, an operator's words the ones whose
    numbers the event carries.
*   Anchors are checked with the key. Without it ``authentic`` is None: "not checked".

Not here: whether the kernel itself is right. That is the models' question (``tlc``).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from kernel.constants import OPERATOR_MAX, REASON_MAX
from kernel.events import Event
from kernel.outcome import Accepted, Outcome, Reason
from kernel.state import State
from kernel.step import step_bare
from traces.checksums import (
    MAC_BYTES,
    anchor_mac,
    closing_mac,
    key_id,
    number_of,
    same,
)
from traces.codec import (
    DeltaEncoder,
    EventRecord,
    Malformed,
    unpack_event,
    unpack_record,
)
from traces.frames import Fault, Finding, Frame, JournalCorrupt, Tag
from traces.header import Header, read_header
from traces.journal import CLOSING
from traces.notes import operator_words
from traces.schema import COLUMNS, EFFECT_NAMES

Watcher = Callable[[State, Event, Outcome], None]


@dataclass(frozen=True)
class Difference:
    """One value of a record that is not the kernel's."""

    name: str
    journal: str
    kernel: str


@dataclass(frozen=True)
class Divergence:
    """The first record that does not replay."""

    record: int
    event: str
    differences: tuple[Difference, ...]

    def text(self) -> str:
        """Return one line."""
        parts = "; ".join(
            f"{d.name} is {d.journal}, the kernel says {d.kernel}" for d in self.differences
        )
        return f"record {self.record}, {self.event}: {parts}"


@dataclass
class Replay:
    """What a replay has found so far.

    ``authentic`` is None while there is no key to check with; ``actions`` counts answers by (kind,
    reason), both codes; ``words`` are an operator's, waiting for the event they belong to.
    """

    header: Header | None = None
    fold: DeltaEncoder | None = None
    events: int = 0
    accepted: int = 0
    closed: bool = False
    divergence: Divergence | None = None
    authentic: bool | None = None
    forged_at: int | None = None
    anchored_to: int = -1
    since_anchor: int = 0
    last: Frame | None = None
    actions: Counter[tuple[int, int]] = field(default_factory=Counter)
    words: tuple[str, str] | None = None


def verdict_name(reason: int) -> str:
    """Return "ok" for 0, else the reason's name: the models' words for an answer."""
    return "ok" if reason == 0 else Reason(reason).name


# JNL-016, JNL-017, JNL-018
def _form(frame: Frame, text: str) -> JournalCorrupt:
    sentence = f"record {frame.sequence}: {text}"
    return JournalCorrupt(Finding(Fault.FORM, frame.sequence, frame.offset, sentence))


def differences(journal: EventRecord, kernel: EventRecord) -> tuple[Difference, ...]:
    """Return what a record says and the kernel does not, the outcome before the state."""
    found: list[Difference] = []
    if journal.reason != kernel.reason:
        found.append(
            Difference("outcome", verdict_name(journal.reason), verdict_name(kernel.reason))
        )
    for bit, name in enumerate(EFFECT_NAMES):
        mine, theirs = journal.effects >> bit & 1, kernel.effects >> bit & 1
        if mine != theirs:
            found.append(Difference(name, str(bool(mine)), str(bool(theirs))))
    claimed, true = dict(journal.changes), dict(kernel.changes)
    for code in sorted(claimed.keys() | true.keys()):
        if claimed.get(code) != true.get(code):
            found.append(
                Difference(
                    COLUMNS[code].name,
                    str(claimed.get(code, "unchanged")),
                    str(true.get(code, "unchanged")),
                )
            )
    if journal.digest != kernel.digest:
        found.append(Difference("digest", journal.digest.hex(), kernel.digest.hex()))
    return tuple(found)


def _open(replay: Replay, frame: Frame, key: bytes | None) -> None:
    if frame.sequence != 0 or frame.tag != Tag.HEADER:
        raise _form(frame, f"tag {frame.tag}; expected the header first, and once")
    header = read_header(frame.body)
    replay.header = header
    replay.fold = DeltaEncoder(header.opening_state())
    if key is not None:
        replay.authentic = header.anchor_every > 0 and header.anchor_key == key_id(key)
        if not replay.authentic:
            replay.forged_at = 0


# JNL-023
def _words(replay: Replay, frame: Frame, event: Event) -> None:
    if replay.words is None:
        return
    who, why = replay.words
    replay.words = None
    given = (getattr(event, "operator", None), getattr(event, "reason", None))
    if given != (number_of(who, OPERATOR_MAX), number_of(why, REASON_MAX)):
        raise _form(frame, "the operator's words before it are not those of its numbers")


def _event(replay: Replay, frame: Frame, watch: Watcher | None) -> None:
    fold = replay.fold
    assert fold is not None
    _, event, _, _, _ = unpack_event(frame.body)
    before = fold.state
    outcome = step_bare(before, event)
    expected = fold.body(event, outcome)
    if expected != frame.body:
        record = unpack_record(frame.sequence, frame.body)
        kernel = unpack_record(frame.sequence, expected)
        replay.divergence = Divergence(
            frame.sequence, record.kind.name, differences(record, kernel)
        )
        return
    _words(replay, frame, event)
    replay.events += 1
    replay.since_anchor += 1
    ok = isinstance(outcome, Accepted)
    replay.accepted += ok
    replay.actions[frame.body[0], frame.body[2]] += 1
    if watch is not None:
        watch(before, event, outcome)


def check_anchor(replay: Replay, frame: Frame, key: bytes | None) -> None:
    """Check a MAC behind a divergence, where nothing else can be judged any more."""
    if frame.tag == Tag.ANCHOR and len(frame.body) == MAC_BYTES:
        _check_mac(replay, frame, key, frame.body, anchor_mac)
    if frame.tag == Tag.CLOSE and len(frame.body) == CLOSING.size:
        _check_mac(replay, frame, key, CLOSING.unpack(frame.body)[2], closing_mac)
        replay.closed = True


# JNL-019, JNL-020
def _anchor(replay: Replay, frame: Frame, key: bytes | None) -> None:
    assert replay.header is not None
    if len(frame.body) != MAC_BYTES or replay.header.anchor_every == 0:
        raise _form(frame, "an anchor that the header does not promise")
    if replay.since_anchor == 0:
        raise _form(frame, "an anchor without a record since the last")
    _check_mac(replay, frame, key, frame.body, anchor_mac)
    replay.since_anchor = 0


# JNL-020, JNL-022
def _check_mac(
    replay: Replay,
    frame: Frame,
    key: bytes | None,
    mac: bytes,
    made: Callable[[bytes, bytes, int], bytes],
) -> None:
    if key is None or not replay.authentic:
        return
    if same(mac, made(key, frame.before, frame.sequence)):
        replay.anchored_to = frame.sequence
    else:
        replay.authentic = False
        replay.forged_at = frame.sequence


# JNL-017
def _close(replay: Replay, frame: Frame, key: bytes | None) -> None:
    assert replay.header is not None
    if len(frame.body) != CLOSING.size:
        raise _form(frame, f"a closing record of {len(frame.body)} bytes")
    events, accepted, mac = CLOSING.unpack(frame.body)
    if (events, accepted) != (replay.events, replay.accepted):
        raise _form(
            frame,
            f"it closes {events} events, {accepted} of them accepted; "
            f"there are {replay.events}, {replay.accepted} accepted",
        )
    if replay.header.anchor_every and replay.since_anchor:
        raise _form(frame, "the anchor before the closing record is missing")
    if not replay.header.anchor_every and mac != bytes(MAC_BYTES):
        raise _form(frame, "a closing MAC that the header does not promise")
    _check_mac(replay, frame, key, mac, closing_mac)
    replay.closed = True


# JNL-032
def advance(
    replay: Replay, frame: Frame, key: bytes | None = None, watch: Watcher | None = None
) -> None:
    """Take one frame. Raises ``JournalCorrupt`` on a form that no writer has written."""
    header = replay.header
    try:
        if header is None:
            _open(replay, frame, key)
        elif replay.closed:
            text = f"record {frame.sequence} stands after the closing record"
            raise JournalCorrupt(Finding(Fault.AFTER_CLOSE, frame.sequence, frame.offset, text))
        elif frame.tag == Tag.EVENT:
            if header.anchor_every and replay.since_anchor == header.anchor_every:
                raise _form(frame, "the anchor before it is missing")
            _event(replay, frame, watch)
        elif frame.tag == Tag.NOTE:
            replay.words = operator_words(frame.body) or replay.words
        elif frame.tag == Tag.ANCHOR:
            _anchor(replay, frame, key)
        elif frame.tag == Tag.CLOSE:
            _close(replay, frame, key)
        else:
            raise _form(frame, f"no record has tag {frame.tag}")
    except Malformed as error:
        raise _form(frame, str(error)) from None
    replay.last = frame
