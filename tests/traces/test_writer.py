"""The journal's writer: what each decision leads to, and which bytes go where, in real files.

Not here: what survives a crash or a full disk (``test_journal.py``), resuming (``test_recovery``).
"""

import dataclasses
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kernel.events import AdvanceTime, Event, RecordHeartbeat, TripKillSwitch
from kernel.outcome import Accepted, Outcome
from kernel.state import State
from kernel.step import step
from tests.traces.making import largest_file, record, tags
from tests.traces.samples import KEY, header_of
from traces.frames import Tag, scan
from traces.journal import (
    ANCHOR_EVERY,
    PREALLOCATE_BYTES,
    SYNC_SECONDS,
    JournalFailure,
    JournalWriter,
    Syncer,
)

HEADER = header_of()
TWO = header_of(key=KEY, every=2)
BEAT = RecordHeartbeat(partition=0)


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


# --- to the byte: what is written, preallocated, asked of the syncer -----------------------------
#
# Real files. Where no file shows it, Python's audit hook says what was asked of the system.


MIB = 1 << 20
Call = tuple[Any, ...]


@contextmanager
def no_umask() -> Iterator[None]:
    """Files get the rights that were asked for."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


class Waits(threading.Event):
    """An event that says for how long it is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float | None] = []
        self.begun = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        self.begun.set()
        return super().wait(timeout)


class Told(JournalWriter):
    """A writer that says which steps it was given."""

    taken: list[tuple[State, Event, Outcome]]

    def record(self, before: State, event: Event, outcome: Outcome) -> None:
        self.taken.append((before, event, outcome))
        super().record(before, event, outcome)


# --- the figures ---------------------------------------------------------------------------------


@pytest.mark.req("JNL-019")
def test_an_anchor_follows_every_thousandth_event() -> None:
    assert ANCHOR_EVERY == 1_000


@pytest.mark.req("JNL-024")
def test_a_journal_grows_by_four_mebibytes_and_is_synced_ten_times_a_second() -> None:
    assert (PREALLOCATE_BYTES, SYNC_SECONDS) == (4 * MIB, 0.1)


# --- the syncer ----------------------------------------------------------------------------------


@pytest.mark.req("JNL-041")
def test_the_syncer_is_a_thread_that_holds_up_no_process(tmp_path: Path) -> None:
    def threads() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if each.name == "journal-sync"}

    before = threads()
    with JournalWriter.create(tmp_path / "a", HEADER):
        (own,) = threads() - before
        assert own.daemon is True
    assert not own.is_alive()


@pytest.mark.req("JNL-041")
def test_the_syncer_waits_its_seconds_between_two_syncs(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        syncer = Syncer(file.fileno(), 600.0)
        syncer._stop = waits = Waits()
        syncer.written()
        assert waits.begun.wait(30)
        syncer.stop()
    assert (syncer.failure, waits.asked) == (None, [600.0])


@pytest.mark.req("JNL-041")
def test_the_syncer_syncs_the_journals_file_at_the_interval_asked_for(tmp_path: Path) -> None:
    usual = JournalWriter.create(tmp_path / "a", HEADER)
    rare = JournalWriter.create(tmp_path / "b", HEADER, sync_seconds=600.0)
    assert [each._syncer._seconds for each in (usual, rare)] == [SYNC_SECONDS, 600.0]
    for each in (usual, rare):
        assert os.path.samestat(os.fstat(each._syncer._descriptor), each.path.stat())
        each.close()


# --- a new file ----------------------------------------------------------------------------------


@pytest.mark.req("JNL-026")
def test_a_journal_is_its_owners_to_write_and_its_groups_to_read(tmp_path: Path) -> None:
    with no_umask():
        JournalWriter.create(tmp_path / "a", HEADER).close()
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o640


@pytest.mark.req("JNL-026")
def test_a_new_file_is_opened_alone_and_its_folder_as_a_folder(tmp_path: Path) -> None:
    path, opened, listening = tmp_path / "a", [], True
    unfinished = tmp_path / f"a.{os.getpid()}.new"

    def hook(event: str, arguments: Call) -> None:
        if listening and event == "open" and arguments[0] in (str(unfinished), str(tmp_path)):
            opened.append((Path(arguments[0]), arguments[2]))

    sys.addaudithook(hook)
    JournalWriter.create(path, HEADER).close()
    listening = False
    assert opened == [
        (unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC),
        (tmp_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC),
    ]


@pytest.mark.req("JNL-015", "JNL-019")
def test_an_anchor_may_follow_every_single_event(tmp_path: Path) -> None:
    header = header_of(key=KEY, every=1)
    with JournalWriter.create(tmp_path / "a", header, key=KEY) as journal:
        state = header.opening_state()
        for _ in range(2):
            state = record(journal, state, BEAT)
    one = [Tag.EVENT, Tag.ANCHOR]
    assert tags(tmp_path / "a") == [Tag.HEADER, *one, *one, Tag.CLOSE]


# --- committing ----------------------------------------------------------------------------------


@pytest.mark.req("JNL-017", "JNL-043")
def test_an_open_journal_is_preallocated_and_a_closed_one_cut_to_size(tmp_path: Path) -> None:
    path = tmp_path / "a"
    journal = JournalWriter.create(path, HEADER)
    assert path.stat().st_size == 4 * MIB
    record(journal, HEADER.opening_state(), BEAT)
    journal.commit()
    assert path.stat().st_size == 4 * MIB
    journal.close()
    assert path.stat().st_size == journal._offset < MIB


@pytest.mark.req("JNL-043")
def test_a_journal_let_go_of_keeps_the_zeros_that_a_crash_would_leave(tmp_path: Path) -> None:
    path = tmp_path / "a"
    journal = JournalWriter.create(path, HEADER)
    before = path.read_bytes()
    journal.abandon()
    assert path.read_bytes() == before
    assert len(before) == 4 * MIB
    assert tags(path) == [Tag.HEADER]


@pytest.mark.req("JNL-024")
def test_space_is_reserved_where_the_last_ended_and_only_when_it_is_used_up(
    tmp_path: Path,
) -> None:
    path, whole = tmp_path / "a", PREALLOCATE_BYTES
    with JournalWriter.create(path, HEADER) as journal:
        for end, size in (
            (whole - 1, whole),
            (whole, whole),
            (whole + 1, 2 * whole),
            (2 * whole + 1, 3 * whole),
            (5 * whole + 1, 5 * whole + 1),
        ):
            journal._reserve(end)
            assert path.stat().st_size == size


@pytest.mark.req("JNL-024")
def test_control_what_a_system_takes_in_parts_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beats(path: Path) -> bytes:
        with JournalWriter.create(path, HEADER) as journal:
            state = HEADER.opening_state()
            for _ in range(3):
                state = record(journal, state, BEAT)
        return path.read_bytes()

    sound = beats(tmp_path / "sound")
    written: list[int] = []
    really = os.pwrite

    def in_part(descriptor: int, data: bytes, offset: int) -> int:
        assert offset == sum(written), "a part is written once, behind the part before it"
        written.append(really(descriptor, data[:50], offset))
        return written[-1]

    monkeypatch.setattr(os, "pwrite", in_part)
    assert beats(tmp_path / "parts") == sound
    assert sum(written) == len(sound)
    assert len(written) > len(sound) // 50


@pytest.mark.req("JNL-025")
def test_a_journal_that_was_written_has_not_failed(tmp_path: Path) -> None:
    journal = JournalWriter.create(tmp_path / "a", HEADER)
    assert journal.failed is False
    journal.failed = True
    record(journal, HEADER.opening_state(), BEAT)
    journal.commit()
    assert journal.failed is False
    journal.close()


@pytest.mark.req("JNL-011", "JNL-025")
def test_a_state_that_does_not_fit_fails_every_commit_from_then_on(tmp_path: Path) -> None:
    journal = JournalWriter.create(tmp_path / "a", HEADER)
    state = HEADER.opening_state()
    outcome = step(state, BEAT)
    assert isinstance(outcome, Accepted)
    ledger = dataclasses.replace(outcome.state.ledger, cash=2**63)
    beyond = dataclasses.replace(outcome.state, ledger=ledger)
    journal.record(state, BEAT, Accepted(beyond, outcome.effects))
    for _ in range(2):
        journal.failed = False
        with pytest.raises(JournalFailure):
            journal.commit()
        assert journal.failed is True
    journal.abandon()
    assert tags(tmp_path / "a") == [Tag.HEADER]


@pytest.mark.req("JNL-041")
def test_a_failed_sync_fails_the_next_commit(tmp_path: Path) -> None:
    journal = JournalWriter.create(tmp_path / "a", HEADER)
    journal._syncer.failure = OSError(5, "Input/output error")
    with pytest.raises(JournalFailure, match=r"sync: Input/output error$"):
        journal.commit()
    assert journal.failed is True
    journal.close()


@pytest.mark.req("JNL-001", "JNL-023")
def test_an_operators_step_is_taken_like_any_other(tmp_path: Path) -> None:
    state = HEADER.opening_state()
    event = TripKillSwitch(cause=3, operator=1, reason=2)
    outcome = step(state, event)
    with Told.create(tmp_path / "a", HEADER) as journal:
        journal.taken = []
        journal.record_operator(state, event, outcome, who="ann", why="drill")
    assert journal.taken == [(state, event, outcome)]
    assert tags(tmp_path / "a") == [Tag.HEADER, Tag.NOTE, Tag.EVENT, Tag.CLOSE]
