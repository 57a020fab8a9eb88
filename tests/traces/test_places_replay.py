"""A replay from its first moment, where its faults stand, and its anchors down to every event.

Not here: each form and each difference (``test_replay_decisions``).
"""

import pytest

from tests.traces.making import (
    anchored,
    close_record,
    closed,
    event_records,
    header_record,
    journal_of,
    note_record,
)
from tests.traces.samples import KEY, header_of
from tests.traces.test_replay_decisions import BEATS, replayed
from tests.traces.test_writer_decisions import BEAT
from traces.checksums import closing_mac
from traces.frames import Fault, Finding, Frame, JournalCorrupt, Tag
from traces.journal import CLOSING
from traces.replay import Difference, Divergence, Replay, check_anchor

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
