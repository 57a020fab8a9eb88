"""The writer, the quiet ticks and the recovery: what each decision leads to, in real files."""

import dataclasses
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kernel.events import AdvanceTime, Event, RecordHeartbeat, ReportForewarner
from kernel.outcome import Accepted, Outcome
from kernel.state import State
from kernel.step import step
from tests.kernel.sessions import fresh
from tests.traces.making import (
    NO_MAC,
    anchored,
    event_records,
    header_record,
    journal_of,
    note_record,
    write,
)
from tests.traces.samples import KEY, header_of
from traces.codec import pack_record, unpack_record
from traces.frames import Fault, JournalCorrupt, Tag, scan
from traces.journal import JournalFailure, JournalWriter, Syncer
from traces.recovery import Recovery, resume
from traces.ticks import is_quiet

HEADER = header_of()
TWO = header_of(key=KEY, every=2)
BEAT = RecordHeartbeat(partition=0)


def record(journal: JournalWriter, state: State, event: Event) -> State:
    """Step, record, and return the state after."""
    outcome = step(state, event)
    journal.record(state, event, outcome)
    return outcome.state if isinstance(outcome, Accepted) else state


def tags(path: Path) -> list[int]:
    """The tags of a journal's frames."""
    return [frame.tag for frame in scan(path.read_bytes())]


# --- the writer ----------------------------------------------------------------------------------


@pytest.mark.req("JNL-015")
def test_a_key_belongs_to_a_header_that_promises_anchors(tmp_path: Path) -> None:
    silent = dataclasses.replace(TWO, anchor_every=0)
    unnamed = dataclasses.replace(TWO, anchor_key="")
    for header, key in ((silent, KEY), (unnamed, KEY), (unnamed, None), (silent, None)):
        with pytest.raises(ValueError) as caught:
            JournalWriter.create(tmp_path / "a", header, key=key)
        assert str(caught.value) == "the header's anchor and the key do not belong together"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("JNL-001", "JNL-027")
def test_the_writer_says_where_it_is(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "a", HEADER) as journal:
        opening = HEADER.opening_state()
        assert (journal.sequence, journal.events, journal.coalesced) == (1, 0, 0)
        assert journal.state == opening
        state = opening
        for time_ms in (1, 2, 3):
            state = record(journal, state, AdvanceTime(process_time_ms=time_ms))
        assert (journal.sequence, journal.events, journal.coalesced) == (1, 0, 2)
        assert journal.state == opening, "a pending tick is not in it"
        state = record(journal, state, BEAT)
        assert (journal.sequence, journal.events, journal.coalesced) == (3, 2, 2)
        assert journal.state == state
    assert tags(tmp_path / "a") == [Tag.HEADER, Tag.EVENT, Tag.EVENT, Tag.CLOSE]


@pytest.mark.req("JNL-025")
def test_a_commit_of_nothing_writes_nothing(tmp_path: Path) -> None:
    journal = JournalWriter.create(tmp_path / "a", HEADER)
    before = (tmp_path / "a").read_bytes()
    journal.commit()
    assert (tmp_path / "a").read_bytes() == before
    journal.close()


@pytest.mark.req("JNL-017")
def test_closing_twice_closes_once(tmp_path: Path) -> None:
    journal = JournalWriter.create(tmp_path / "a", HEADER)
    journal.close()
    before = (tmp_path / "a").read_bytes()
    journal.close()
    journal.abandon()
    assert (tmp_path / "a").read_bytes() == before
    assert tags(tmp_path / "a") == [Tag.HEADER, Tag.CLOSE]


@pytest.mark.req("JNL-043")
def test_after_an_exception_the_journal_stays_unclosed(tmp_path: Path) -> None:
    def interrupted() -> None:
        with JournalWriter.create(tmp_path / "a", HEADER) as journal:
            record(journal, HEADER.opening_state(), BEAT)
            journal.commit()
            raise LookupError

    with pytest.raises(LookupError):
        interrupted()
    assert tags(tmp_path / "a") == [Tag.HEADER, Tag.EVENT]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows past ``size``: what a full disk does to the journal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.req("JNL-025")
def test_what_a_full_disk_refuses_is_written_later(tmp_path: Path) -> None:
    def beats(path: Path, limit: int | None) -> bytes:
        journal = JournalWriter.create(path, HEADER)
        state = HEADER.opening_state()
        for _ in range(3):
            state = record(journal, state, BEAT)
        if limit is not None:
            with largest_file(limit), pytest.raises(JournalFailure) as caught:
                journal.commit()
            assert str(caught.value) == f"{path}: File too large"
            assert journal.failed
        journal.commit()
        assert not journal.failed
        journal.close()
        return path.read_bytes()

    sound = beats(tmp_path / "sound", None)
    whole = [frame.offset for frame in scan(sound)]
    for limit in (whole[1], whole[2] + 5):
        assert beats(tmp_path / str(limit), limit) == sound


@pytest.mark.req("JNL-041")
def test_what_cannot_be_synced_is_told_once(tmp_path: Path) -> None:
    """A pipe cannot be synced; no file of this machine refuses on demand, so its word is passed."""
    reading, writing = os.pipe()
    syncer = Syncer(writing, 0.0)
    syncer.written()
    deadline = time.monotonic() + 30
    while syncer.failure is None and time.monotonic() < deadline:
        os.sched_yield()
    syncer.stop()
    os.close(reading)
    os.close(writing)
    assert isinstance(syncer.failure, OSError)
    journal = JournalWriter.create(tmp_path / "a", HEADER)
    record(journal, HEADER.opening_state(), BEAT)
    journal._syncer.failure = syncer.failure
    with pytest.raises(JournalFailure) as caught:
        journal.commit()
    assert str(caught.value) == f"{tmp_path / 'a'}: sync: Invalid argument"
    assert journal.failed
    journal.commit()
    assert not journal.failed
    journal.close()
    assert tags(tmp_path / "a") == [Tag.HEADER, Tag.EVENT, Tag.CLOSE]


@pytest.mark.req("JNL-019")
def test_an_anchor_before_the_closing_record_only_where_records_wait_for_one(
    tmp_path: Path,
) -> None:
    for count, expected in ((0, []), (1, [2, 4]), (2, [2, 2, 4]), (3, [2, 2, 4, 2, 4])):
        with JournalWriter.create(tmp_path / str(count), TWO, key=KEY) as journal:
            state = TWO.opening_state()
            for _ in range(count):
                state = record(journal, state, BEAT)
        assert tags(tmp_path / str(count)) == [1, *expected, 5]


# --- quiet ticks ---------------------------------------------------------------------------------

TICK = AdvanceTime(process_time_ms=5)
OTHERWISE: list[tuple[str, Callable[[State], State]]] = [
    ("killed", lambda s: dataclasses.replace(
        s, killswitch=dataclasses.replace(s.killswitch, killed=True))),
    ("survival", lambda s: dataclasses.replace(s, survival=dataclasses.replace(s.survival))),
    ("machine", lambda s: dataclasses.replace(s, machine=dataclasses.replace(s.machine))),
    ("gate", lambda s: dataclasses.replace(s, gate=dataclasses.replace(s.gate))),
    ("ledger", lambda s: dataclasses.replace(s, ledger=dataclasses.replace(s.ledger))),
]  # fmt: skip


@pytest.mark.req("JNL-027")
def test_a_tick_that_only_lets_time_pass_is_quiet() -> None:
    state = fresh()
    outcome = step(state, TICK)
    assert is_quiet(state, TICK, outcome)
    assert not is_quiet(state, BEAT, step(state, BEAT)), "no tick"
    back = AdvanceTime(process_time_ms=-1)
    assert not is_quiet(state, back, step(state, back)), "refused"


@pytest.mark.req("JNL-028")
@pytest.mark.parametrize("change", [each for _, each in OTHERWISE], ids=[n for n, _ in OTHERWISE])
def test_a_tick_that_touches_anything_else_is_not_quiet(change: Callable[[State], State]) -> None:
    state = fresh()
    outcome: Outcome = step(state, TICK)
    assert isinstance(outcome, Accepted)
    other = dataclasses.replace(outcome, state=change(outcome.state))
    assert not is_quiet(state, TICK, other)


# --- taking up a journal -------------------------------------------------------------------------

EVENTS = event_records(HEADER, BEAT, ReportForewarner(status=1))


def not_taken_up(path: Path, key: bytes | None = None) -> tuple[Fault, int, str]:
    """The fault for which a journal is not taken up; the file must stay as it is."""
    before = path.read_bytes()
    with pytest.raises(JournalCorrupt) as caught:
        resume(path, key=key)
    assert path.read_bytes() == before
    return caught.value.finding.fault, caught.value.finding.record, caught.value.finding.text


@pytest.mark.req("JNL-029")
def test_an_unclosed_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = write(tmp_path / "a", header_record(), *EVENTS)
    journal, recovery = resume(path)
    state = HEADER.opening_state()
    for event in (BEAT, ReportForewarner(status=1)):
        outcome = step(state, event)
        assert isinstance(outcome, Accepted)
        state = outcome.state
    assert recovery == Recovery(state=state, events=2, cut="")
    assert journal.sequence == 3
    record(journal, state, BEAT)
    journal.close()
    again = event_records(HEADER, BEAT, ReportForewarner(status=1), BEAT)
    sound = write(tmp_path / "b", header_record(), *again)
    assert path.read_bytes().startswith(sound.read_bytes())


@pytest.mark.req("JNL-029")
def test_a_torn_record_is_cut_off_and_a_torn_beginning_is_not(tmp_path: Path) -> None:
    whole = journal_of(header_record(), *EVENTS)
    frames = list(scan(whole))
    path = tmp_path / "a"
    path.write_bytes(whole[: frames[2].offset + 6])
    journal, recovery = resume(path)
    assert recovery.events == 1
    assert recovery.cut == "record 2, the last, is torn: 6 bytes of it were written"
    journal.abandon()
    assert path.read_bytes()[: frames[2].offset] == whole[: frames[2].offset]
    path.write_bytes(whole[: frames[0].offset + 5])
    text = "record 0, the last, is torn: 5 bytes of it were written"
    assert not_taken_up(path) == (Fault.TORN, 0, text)
    path.write_bytes(whole[:9])
    assert not_taken_up(path) == (Fault.TORN, -1, "torn within its first 16 bytes")


@pytest.mark.req("JNL-030")
def test_a_journal_without_its_header_is_not_taken_up(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    with pytest.raises(ValueError) as caught:
        resume(path)
    assert str(caught.value) == f"{path}: it ended before its header; begin a new journal"


@pytest.mark.req("JNL-016", "JNL-030")
@pytest.mark.parametrize("name", ["process_time_ms", "market_time_ms"])
def test_a_header_beyond_64_bits_is_not_taken_up(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a", header_record(**{name: 2**63}))
    text = "record 0: header: values out of range"
    assert not_taken_up(path) == (Fault.FORM, 0, text)


@pytest.mark.req("JNL-030")
def test_a_journal_that_does_not_replay_is_not_taken_up(tmp_path: Path) -> None:
    sound = unpack_record(1, EVENTS[0][1])
    flat = [part for change in sound.changes for part in change]
    forged = pack_record(sound.event, 0, 1, sound.digest, flat)
    path = write(tmp_path / "a", header_record(), (int(Tag.EVENT), forged))
    text = (
        "does not replay: record 1, RecordHeartbeat: "
        "cancel_all_orders is True, the kernel says False"
    )
    assert not_taken_up(path) == (Fault.FORM, 1, text)


@pytest.mark.req("JNL-030")
def test_a_journal_with_another_key_is_not_taken_up(tmp_path: Path) -> None:
    named = write(tmp_path / "named", header_record(TWO))
    plain = write(tmp_path / "plain", header_record())
    for path, key in ((named, None), (named, bytes(32)), (plain, KEY)):
        with pytest.raises(ValueError) as caught:
            resume(path, key=key)
        assert str(caught.value) == f"{path}: the key is not the one its header names"


@pytest.mark.req("JNL-020", "JNL-030")
def test_a_journal_with_a_forged_anchor_is_not_taken_up(tmp_path: Path) -> None:
    records = [header_record(TWO), *event_records(TWO, BEAT, BEAT)]
    path = write(tmp_path / "forged", *records, (int(Tag.ANCHOR), NO_MAC))
    assert not_taken_up(path, KEY) == (Fault.FORM, 3, "record 3: the anchor is not the key's")
    silent = write(tmp_path / "silent", header_record(TWO, anchor_every=0))
    assert not_taken_up(silent, KEY) == (Fault.FORM, 0, "record 0: the anchor is not the key's")
    sound = write(tmp_path / "sound", *records, anchored(*records))
    journal, recovery = resume(sound, key=KEY)
    assert recovery.events == 2
    journal.abandon()


@pytest.mark.req("JNL-031")
def test_the_anchor_that_is_due_is_made_up_and_no_other(tmp_path: Path) -> None:
    records = [header_record(TWO), *event_records(TWO, BEAT, BEAT)]
    for count, expected in ((2, [1, 2, 5]), (3, [1, 2, 2, 4, 5])):
        path = write(tmp_path / str(count), *records[:count])
        journal, _ = resume(path, key=KEY)
        if count == 3:
            journal.close()
            assert tags(path) == expected
        else:
            assert journal.sequence == 2
            journal.abandon()
    plain = write(tmp_path / "plain", header_record(), note_record(kind="x"))
    journal, _ = resume(plain)
    journal.close()
    assert tags(plain) == [1, 3, 5]
