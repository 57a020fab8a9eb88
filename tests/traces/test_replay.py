"""A replay finds every form that no writer writes, every difference, and where it stands."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from kernel.constants import OPERATOR_MAX, REASON_MAX
from kernel.events import AdvanceTime, RecordHeartbeat, ReportForewarner, TripKillSwitch
from tests.traces.making import (
    NO_MAC,
    anchored,
    close_record,
    closed,
    event_records,
    header_record,
    journal_of,
    note_record,
)
from tests.traces.samples import KEY, header_of
from tests.traces.test_writer import BEAT
from traces.checksums import closing_mac, key_id, number_of
from traces.codec import EventRecord, pack_record, unpack_record
from traces.frames import Fault, Finding, Frame, JournalCorrupt, Tag, scan
from traces.journal import CLOSING
from traces.replay import (
    Difference,
    Divergence,
    Replay,
    advance,
    check_anchor,
    differences,
    verdict_name,
)
from traces.schema import COLUMN_BY_NAME

HEADER = header_of()
BEATS = event_records(HEADER, *(RecordHeartbeat(partition=partition) for partition in (0, 1, 7)))
TWO = header_of(key=KEY, every=2)
PAIR = event_records(TWO, RecordHeartbeat(partition=0), RecordHeartbeat(partition=1))
Records = list[tuple[int, bytes]]


def replayed(*records: tuple[int, bytes], key: bytes | None = None) -> Replay:
    """What a replay of these records has found."""
    replay = Replay()
    for frame in scan(journal_of(*records)):
        advance(replay, frame, key)
    return replay


def finding_of(*records: tuple[int, bytes], key: bytes | None = None) -> tuple[Fault, int, str]:
    """The fault of these records: which, at which record, and its sentence."""
    with pytest.raises(JournalCorrupt) as caught:
        replayed(*records, key=key)
    found: Finding = caught.value.finding
    return found.fault, found.record, found.text


def form(record: int, text: str) -> tuple[Fault, int, str]:
    """A fault of form, as ``finding_of`` gives it."""
    return Fault.FORM, record, f"record {record}: {text}"


@pytest.mark.req("JNL-015", "JNL-017")
def test_a_journal_begins_with_its_header_once() -> None:
    expected = "expected the header first, and once"
    note = note_record(kind="x")
    assert finding_of(note) == form(0, f"tag 3; {expected}")
    assert finding_of(header_record(), header_record()) == form(1, "no record has tag 1")


@pytest.mark.req("JNL-015")
def test_a_header_that_is_not_the_first_record_opens_nothing() -> None:
    replay = Replay()
    late = Frame(1, Tag.HEADER, header_record()[1], bytes(16), bytes(16), 0, 0)
    with pytest.raises(JournalCorrupt) as caught:
        advance(replay, late)
    assert caught.value.finding.text == "record 1: tag 1; expected the header first, and once"
    assert replay == Replay()


@pytest.mark.req("JNL-012")
def test_a_tag_that_no_writer_writes_is_named() -> None:
    assert finding_of(header_record(), (9, b"")) == form(1, "no record has tag 9")


@pytest.mark.req("JNL-012")
def test_a_malformed_body_is_a_fault_of_its_record() -> None:
    assert finding_of(header_record(), (Tag.EVENT, b"")) == form(1, "an event record of 0 bytes")


@pytest.mark.req("JNL-017")
def test_the_counts_of_the_closing_record_fit() -> None:
    records = [header_record(), *BEATS]
    replay = replayed(*records, close_record(3, 2))
    assert (replay.closed, replay.events, replay.accepted) == (True, 3, 2)
    for events, accepted in ((2, 2), (3, 3)):
        assert finding_of(*records, close_record(events, accepted)) == form(
            4,
            f"it closes {events} events, {accepted} of them accepted; there are 3, 2 accepted",
        )


@pytest.mark.req("JNL-017")
def test_a_closing_record_has_its_length() -> None:
    tag, body = close_record(0, 0)
    assert finding_of(header_record(), (tag, body[:-1])) == form(1, "a closing record of 47 bytes")


@pytest.mark.req("JNL-018")
def test_nothing_stands_behind_the_closing_record() -> None:
    fault = finding_of(header_record(), close_record(0, 0), note_record(kind="x"))
    assert fault == (Fault.AFTER_CLOSE, 2, "record 2 stands after the closing record")


# --- anchors -------------------------------------------------------------------------------------


@pytest.mark.req("JNL-019", "JNL-020")
def test_a_journal_with_its_anchors_is_authentic() -> None:
    records: Records = [header_record(TWO), *PAIR]
    records.append(anchored(*records))
    records.append(closed(*records, events=2, accepted=2))
    replay = replayed(*records, key=KEY)
    assert (replay.authentic, replay.anchored_to, replay.forged_at) == (True, 4, None)
    assert replayed(*records).authentic is None


@pytest.mark.req("JNL-019")
def test_an_anchor_stands_only_where_the_header_promises_one() -> None:
    unpromised = "an anchor that the header does not promise"
    anchor = (int(Tag.ANCHOR), NO_MAC)
    assert finding_of(header_record(), *BEATS, anchor) == form(4, unpromised)
    records: Records = [header_record(TWO), *PAIR]
    short = (int(Tag.ANCHOR), NO_MAC[:-1])
    assert finding_of(*records, short) == form(3, unpromised)
    records.append(anchored(*records))
    twice = finding_of(*records, anchored(*records))
    assert twice == form(4, "an anchor without a record since the last")


@pytest.mark.req("JNL-019")
def test_an_anchor_that_is_missing_is_found_at_the_next_record() -> None:
    records: Records = [header_record(TWO), *PAIR]
    third = event_records(TWO, *(RecordHeartbeat(partition=one) for one in (0, 1, 2)))[2]
    assert finding_of(*records, third) == form(3, "the anchor before it is missing")
    early = records[:2]
    replay = replayed(*early, records[2])
    assert replay.since_anchor == 2


@pytest.mark.req("JNL-019", "JNL-020")
def test_the_closing_record_keeps_what_the_header_promises() -> None:
    records: Records = [header_record(TWO), *PAIR]
    bare = finding_of(*records, closed(*records, events=2, accepted=2))
    assert bare == form(3, "the anchor before the closing record is missing")
    unpromised = finding_of(header_record(), close_record(0, 0, bytes([1]) + NO_MAC[1:]))
    assert unpromised == form(1, "a closing MAC that the header does not promise")
    assert replayed(header_record(TWO), close_record(0, 0)).closed


@pytest.mark.req("JNL-020", "JNL-022")
@pytest.mark.parametrize(
    ("key", "header", "authentic", "forged_at"),
    [
        (None, HEADER, None, None),
        (None, TWO, None, None),
        (KEY, TWO, True, None),
        (KEY, HEADER, False, 0),
        (bytes(32), TWO, False, 0),
    ],
    ids=["no key, no anchors", "no key", "its key", "no anchors", "another key"],
)
def test_what_a_header_says_of_its_anchors_is_held_against_the_key(
    key: bytes | None, header: object, authentic: bool | None, forged_at: int | None
) -> None:
    replay = replayed(header_record(header), key=key)  # type: ignore[arg-type]  # a header
    assert (replay.authentic, replay.forged_at) == (authentic, forged_at)


@pytest.mark.req("JNL-020")
def test_the_first_forged_anchor_is_remembered() -> None:
    records: Records = [header_record(TWO), *PAIR]
    forged = anchored(*records, key=bytes(32))
    after: Records = [*records, forged]
    replay = replayed(*after, closed(*after, events=2, accepted=2), key=KEY)
    assert (replay.authentic, replay.forged_at, replay.anchored_to) == (False, 3, -1)


@pytest.mark.req("JNL-020")
def test_behind_a_divergence_the_macs_are_still_checked() -> None:
    header = (int(Tag.HEADER), header_record(TWO)[1])
    replay = replayed(header, key=KEY)

    def given(tag: int, body: bytes) -> Frame:
        return Frame(7, tag, body, bytes(16), bytes(16), 0, 0)

    check_anchor(replay, given(Tag.NOTE, NO_MAC), KEY)
    check_anchor(replay, given(Tag.ANCHOR, NO_MAC[:-1]), KEY)
    check_anchor(replay, given(Tag.CLOSE, NO_MAC), KEY)
    assert (replay.authentic, replay.closed) == (True, False)
    check_anchor(replay, given(Tag.CLOSE, close_record(0, 0)[1]), None)
    assert (replay.authentic, replay.closed) == (True, True)
    check_anchor(replay, given(Tag.ANCHOR, NO_MAC), KEY)
    assert (replay.authentic, replay.forged_at) == (False, 7)


# --- words ---------------------------------------------------------------------------------------

WORDS = TripKillSwitch(
    cause=3, operator=number_of("ann", OPERATOR_MAX), reason=number_of("drill", REASON_MAX)
)
ANN = note_record(kind="operator", who="ann", why="drill")


@pytest.mark.req("JNL-023")
def test_words_wait_for_their_event_across_other_notes() -> None:
    (trip,) = event_records(HEADER, WORDS)
    aside = note_record(kind="weather", text="fair")
    assert replayed(header_record(), ANN, aside, trip).words is None
    assert replayed(header_record(), ANN, aside).words == ("ann", "drill")
    assert replayed(header_record(), aside).words is None
    second = note_record(kind="operator", who="bob", why="drill")
    assert replayed(header_record(), ANN, second).words == ("bob", "drill")
    fault = finding_of(header_record(), ANN, second, trip)
    assert fault == form(3, "the operator's words before it are not those of its numbers")


@pytest.mark.req("JNL-023")
def test_words_before_an_event_without_numbers_do_not_fit() -> None:
    fault = finding_of(header_record(), ANN, BEATS[0])
    assert fault == form(2, "the operator's words before it are not those of its numbers")


# --- divergence ----------------------------------------------------------------------------------

TICK = event_records(HEADER, AdvanceTime(process_time_ms=5))[0]


def told(body: bytes, **changes: object) -> EventRecord:
    """The record in a body, with some of it told otherwise."""
    return dataclasses.replace(unpack_record(1, body), **changes)  # type: ignore[arg-type]  # by name


@pytest.mark.req("JNL-032")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"reason": 2}, (Difference("outcome", "TIME_BACKWARDS", "ok"),)),
        ({"effects": 1}, (Difference("cancel_all_orders", "True", "False"),)),
        ({"effects": 6}, (
            Difference("flatten_positions", "True", "False"),
            Difference("issue_permit", "True", "False"),
        )),
        ({"digest": bytes(16)}, (
            Difference("digest", "00" * 16, unpack_record(1, TICK[1]).digest.hex()),
        )),
    ],
    ids=str,
)  # fmt: skip
def test_each_part_of_a_record_that_differs_is_named(
    changes: dict[str, object], expected: tuple[Difference, ...]
) -> None:
    kernel = told(TICK[1])
    assert differences(told(TICK[1], **changes), kernel) == expected
    exchanged = tuple(Difference(one.name, one.kernel, one.journal) for one in expected)
    assert differences(kernel, told(TICK[1], **changes)) == exchanged


@pytest.mark.req("JNL-032")
def test_each_column_that_differs_is_named_with_both_values() -> None:
    time = COLUMN_BY_NAME["process_time_ms"].code
    other = COLUMN_BY_NAME["market_time_ms"].code
    kernel = told(TICK[1], changes=((time, 5),))
    assert differences(told(TICK[1], changes=((time, 6),)), kernel) == (
        Difference("process_time_ms", "6", "5"),
    )
    assert differences(told(TICK[1], changes=()), kernel) == (
        Difference("process_time_ms", "unchanged", "5"),
    )
    assert differences(told(TICK[1], changes=((time, 5), (other, 1))), kernel) == (
        Difference("market_time_ms", "1", "unchanged"),
    )


@pytest.mark.req("JNL-032")
def test_the_first_record_that_does_not_replay_is_the_divergence() -> None:
    record = unpack_record(1, TICK[1])
    flat = [part for change in record.changes for part in change]
    forged = pack_record(record.event, record.reason, 1, record.digest, flat)
    replay = replayed(header_record(), BEATS[2], (int(Tag.EVENT), forged))
    assert replay.divergence == Divergence(
        2, "AdvanceTime", (Difference("cancel_all_orders", "True", "False"),)
    )
    assert replay.divergence.text() == (
        "record 2, AdvanceTime: cancel_all_orders is True, the kernel says False"
    )
    assert (replay.events, replay.accepted) == (1, 0)


@pytest.mark.req("JNL-032")
def test_what_was_replayed_is_counted_by_kind_and_answer_and_shown_to_a_watcher() -> None:
    seen: list[tuple[object, object]] = []
    replay = Replay()
    for frame in scan(journal_of(header_record(), *BEATS)):
        advance(replay, frame, None, lambda before, event, outcome: seen.append((event, outcome)))
    beat = unpack_record(1, BEATS[0][1]).kind.code
    assert dict(replay.actions) == {(beat, 0): 2, (beat, 1): 1}
    assert [event for event, _ in seen] == [
        RecordHeartbeat(partition=partition) for partition in (0, 1, 7)
    ]
    assert (verdict_name(0), verdict_name(1)) == ("ok", "MALFORMED")


@pytest.mark.req("JNL-032")
def test_without_a_watcher_the_same_is_found(tmp_path: Path) -> None:
    records: Records = [header_record(), *event_records(HEADER, ReportForewarner(status=1))]
    watched, plain = Replay(), replayed(*records)
    watch: Callable[..., None] = lambda *_: None  # noqa: E731  (a watcher that looks away)
    for frame in scan(journal_of(*records)):
        advance(watched, frame, None, watch)
    assert watched.fold is not None
    assert plain.fold is not None
    assert watched.fold.state == plain.fold.state
    assert key_id(KEY) == TWO.anchor_key


# --- where faults stand, and anchors down to every event -----------------------------------------


ONE = header_of(key=KEY, every=1)


@pytest.mark.req("JNL-032")
def test_a_replay_begins_with_nothing() -> None:
    replay = Replay()
    assert (replay.header, replay.fold, replay.last, replay.divergence) == (None,) * 4
    assert (replay.authentic, replay.forged_at, replay.words) == (None,) * 3
    assert (replay.events, replay.accepted, replay.since_anchor) == (0, 0, 0)
    assert (replay.closed, replay.anchored_to, replay.actions) == (False, -1, {})


@pytest.mark.req("JNL-032")
def test_a_divergence_is_one_line_with_all_its_differences() -> None:
    found = (Difference("outcome", "ok", "MALFORMED"), Difference("mark", "7", "unchanged"))
    assert Divergence(4, "UpdateMark", found).text() == (
        "record 4, UpdateMark: outcome is ok, the kernel says MALFORMED; "
        "mark is 7, the kernel says unchanged"
    )


@pytest.mark.req("JNL-012", "JNL-017", "JNL-018")
@pytest.mark.parametrize(
    ("last", "fault", "text"),
    [
        ((9, b""), Fault.FORM, "record 4: no record has tag 9"),
        (header_record(), Fault.FORM, "record 4: no record has tag 1"),
        (
            close_record(3, 1),
            Fault.FORM,
            "record 4: it closes 3 events, 1 of them accepted; there are 3, 2 accepted",
        ),
        (None, Fault.AFTER_CLOSE, "record 5 stands after the closing record"),
    ],
    ids=["tag", "header", "counts", "after"],
)
def test_a_record_that_no_writer_writes_is_found_where_it_begins(
    last: tuple[int, bytes] | None, fault: Fault, text: str
) -> None:
    records = [header_record(), *BEATS]
    if last is None:
        records.append(close_record(3, 2))
        last = note_record(kind="x")
    with pytest.raises(JournalCorrupt) as caught:
        replayed(*records, last)
    start = len(journal_of(*records))
    assert caught.value.finding == Finding(fault, len(records), start, text)


@pytest.mark.req("JNL-019", "JNL-020")
def test_a_journal_with_an_anchor_after_every_event_is_authentic() -> None:
    records = [header_record(ONE), *event_records(ONE, BEAT)]
    records.append(anchored(*records))
    records.append(closed(*records, events=1, accepted=1))
    replay = replayed(*records, key=KEY)
    assert (replay.authentic, replay.anchored_to, replay.forged_at) == (True, 3, None)


@pytest.mark.req("JNL-020", "JNL-021")
@pytest.mark.parametrize(
    ("sequence", "authentic", "forged_at", "anchored_to"),
    [(7, True, None, 7), (6, False, 7, -1)],
    ids=["its own", "of another place"],
)
def test_a_closing_mac_behind_a_divergence_is_held_against_the_key(
    sequence: int, authentic: bool, forged_at: int | None, anchored_to: int
) -> None:
    replay = replayed(header_record(ONE), key=KEY)
    before = bytes(range(16))
    body = CLOSING.pack(0, 0, closing_mac(KEY, before, sequence))
    check_anchor(replay, Frame(7, Tag.CLOSE, body, before, bytes(16), 0, 0), KEY)
    found = (replay.closed, replay.authentic, replay.forged_at, replay.anchored_to)
    assert found == (True, authentic, forged_at, anchored_to)
