"""The writer's promises: what is acknowledged survives, what cannot be written is said."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.constants import OPERATOR_MAX, REASON_MAX, Posture
from kernel.events import (
    AdvanceTime,
    FailJournal,
    RecordHeartbeat,
    RequestOrder,
    RestartKernel,
    TripKillSwitch,
)
from kernel.outcome import Accepted, Refused
from kernel.step import step
from tests.kernel.sessions import one_event
from tests.traces.making import largest_file
from tests.traces.samples import KEY, header_of, sample, walk, write
from traces.checksums import number_of
from traces.codec import DeltaEncoder, Malformed, unpack_record
from traces.frames import Fault, JournalCorrupt, Tag, scan
from traces.header import read_header
from traces.journal import JournalFailure, JournalWriter
from traces.reader import opened
from traces.recovery import resume
from traces.replay import Replay, advance

ROOT = Path(__file__).resolve().parents[2]


def replayed(path: Path, key: bytes | None = None) -> Replay:
    """The whole journal through the kernel again."""
    replay = Replay()
    with opened(path) as data:
        for frame in scan(data):
            advance(replay, frame, key)
    return replay


@pytest.mark.req("JNL-001", "JNL-017", "JNL-019", "JNL-022", "JNL-032")
@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "anchored"])
def test_what_was_written_replays(tmp_path: Path, key: bytes | None, seed: int) -> None:
    replay = replayed(sample(tmp_path / "a.journal", seed, 500, key=key), key)
    assert replay.divergence is None
    assert replay.closed
    assert replay.authentic is (None if key is None else True)
    assert 0 < replay.accepted < replay.events <= 500


@pytest.mark.req("JNL-015")
def test_the_header_comes_back(tmp_path: Path) -> None:
    header = header_of(key=KEY)
    path = write(tmp_path / "a.journal", header, [], KEY)
    with opened(path) as data:
        assert read_header(next(iter(scan(data))).body) == header


@pytest.mark.req("JNL-010")
def test_an_event_beyond_64_bits_is_written_as_it_was(tmp_path: Path) -> None:
    header = header_of()
    state = header.opening_state()
    event = RequestOrder(
        worker=2**70, instrument=-(2**90), side=1, reduce_only=True, market=False,
        quantity=1, limit_price=0, leverage_ppm=2**63,
    )  # fmt: skip
    outcome = step(state, event)
    assert isinstance(outcome, Refused)
    path = write(tmp_path / "a.journal", header, [(state, event, outcome)])
    with opened(path) as data:
        records = [unpack_record(f.sequence, f.body) for f in scan(data) if f.tag == Tag.EVENT]
    assert [record.event for record in records] == [event]
    assert replayed(path).divergence is None


@pytest.mark.req("JNL-026")
def test_a_journal_is_not_written_over(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 1, 3)
    with pytest.raises(FileExistsError):
        JournalWriter.create(path, header_of())


@pytest.mark.req("JNL-026", "JNL-045")
def test_control_what_was_begun_is_not_left_beside_a_journal_that_is_there(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 1, 3)
    whole = path.read_bytes()
    with pytest.raises(FileExistsError):
        JournalWriter.create(path, header_of())
    assert [one.name for one in tmp_path.iterdir()] == ["a.journal"]
    assert path.read_bytes() == whole


@pytest.mark.req("JNL-045")
def test_a_journal_that_cannot_be_begun_bars_no_later_start(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    with largest_file(1), pytest.raises(JournalFailure, match="File too large"):
        JournalWriter.create(path, header_of())
    assert list(tmp_path.iterdir()) == []
    JournalWriter.create(path, header_of()).close()
    assert replayed(path).divergence is None


@pytest.mark.req("JNL-045")
def test_a_writer_killed_while_it_began_leaves_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    (tmp_path / f"a.journal.{os.getpid()}.new").write_bytes(b"")
    JournalWriter.create(path, header_of()).close()
    assert [one.name for one in tmp_path.iterdir()] == ["a.journal"]


@pytest.mark.req("JNL-015")
def test_key_and_header_belong_together(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="belong together"):
        JournalWriter.create(tmp_path / "a", header_of(), key=KEY)
    with pytest.raises(ValueError, match="belong together"):
        JournalWriter.create(tmp_path / "b", header_of(key=KEY))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("JNL-011")
def test_a_state_that_does_not_fit_is_a_failure(tmp_path: Path) -> None:
    header = header_of()
    state = header.opening_state()
    outcome = step(state, RecordHeartbeat(partition=0))
    assert isinstance(outcome, Accepted)
    big = type(state.ledger)(**{**vars(state.ledger), "cash": 2**63})
    after = type(state)(**{**vars(state), "ledger": big})
    journal = JournalWriter.create(tmp_path / "a", header)
    journal.record(state, RecordHeartbeat(partition=0), Accepted(after, outcome.effects))
    with pytest.raises(JournalFailure, match="does not fit"):
        journal.commit()
    journal.abandon()


# --- failing disks -------------------------------------------------------------------------------


@pytest.mark.req("JNL-025")
def test_a_journal_that_cannot_grow_says_so_and_loses_nothing(tmp_path: Path, seed: int) -> None:
    header = header_of()
    journal = JournalWriter.create(tmp_path / "a.journal", header)
    state = header.opening_state()
    rng = random.Random(seed)
    refusals = 0
    with largest_file(16_384):
        for _ in range(2_000):
            event = one_event(rng, state)
            outcome = step(state, event)
            journal.record(state, event, outcome)
            state = outcome.state if isinstance(outcome, Accepted) else state
        try:
            journal.commit()
        except JournalFailure:
            refusals += 1
            assert journal.failed
            failed = step(state, FailJournal())
            journal.record(state, FailJournal(), failed)
            assert isinstance(failed, Accepted)
            assert failed.state.machine.posture == Posture.HIBERNATE
            state = failed.state
            with pytest.raises(JournalFailure):
                journal.commit()
    assert refusals == 1, "the disk was never full: the test showed nothing"
    journal.commit()
    assert not journal.failed
    journal.close()
    replay = replayed(journal.path)
    assert replay.divergence is None
    assert replay.fold is not None
    assert replay.fold.state == state


# --- crashes -------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from tests.traces.samples import KEY, header_of, walk
from traces.journal import JournalWriter
header = header_of(key=KEY)
journal = JournalWriter.create(Path(sys.argv[1]), header, key=KEY)
steps = walk(int(sys.argv[2]), 10**9, header.opening_state())
for number, (before, event, outcome) in enumerate(steps):
    journal.record(before, event, outcome)
    if number % 50 == 49:
        journal.flush_ticks()
        journal.commit()
        print(journal.events, flush=True)
"""


@pytest.mark.req("JNL-024", "JNL-029")
def test_what_is_acknowledged_survives_sigkill(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "a.journal"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(seed)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(15)]
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.stdout if line.endswith("\n")]
    journal, recovery = resume(path, key=KEY)
    assert recovery.events >= told[-1] > 0
    header = header_of(key=KEY)
    # Ticks between events are written as one, so its steps are more than its events.
    again = walk(seed, 10 * recovery.events, header.opening_state())
    fold = DeltaEncoder(header.opening_state())
    for _, event, outcome in again:
        fold.body(event, outcome)
        if fold.state == recovery.state:
            break
    else:
        pytest.fail("the state is none of those that were written")
    event = RestartKernel()
    outcome = step(recovery.state, event)
    journal.record(recovery.state, event, outcome)
    journal.close()
    replay = replayed(path, KEY)
    assert replay.closed
    assert replay.authentic is True
    assert replay.fold is not None
    assert replay.fold.state.machine.posture == Posture.HIBERNATE


def crashed(path: Path, count: int, key: bytes | None = None, every: int = 100) -> Path:
    """A journal of ``count`` random steps that its writer never closed."""
    header = header_of(key=key, every=every)
    journal = JournalWriter.create(path, header, key=key)
    for before, event, outcome in walk(5, count, header.opening_state()):
        journal.record(before, event, outcome)
    journal.flush_ticks()
    journal.commit()
    journal.abandon()
    return path


@pytest.mark.req("JNL-029")
def test_a_torn_tail_is_cut_off_and_reported(tmp_path: Path) -> None:
    path = crashed(tmp_path / "a", 200)
    with opened(path) as data:
        found = list(scan(data))
    whole = path.read_bytes()
    last = found[-1]
    for written in (1, 3, 4, 20, last.end - last.offset - 1):
        path.write_bytes(whole[: last.offset + written] + bytes(1000))
        journal, recovery = resume(path)
        assert "torn" in recovery.cut
        assert recovery.events == len(found) - 2
        journal.close()
        assert replayed(path).divergence is None


@pytest.mark.req("JNL-030")
def test_corruption_in_the_middle_refuses_to_start(tmp_path: Path) -> None:
    path = crashed(tmp_path / "a", 200)
    data = bytearray(path.read_bytes())
    with opened(path) as sound:
        middle = list(scan(sound))[70]
    data[middle.offset + 20] ^= 4
    path.write_bytes(data)
    with pytest.raises(JournalCorrupt) as caught:
        resume(path)
    assert caught.value.finding.fault == Fault.DAMAGED
    assert path.read_bytes() == bytes(data), "a journal that is refused must not be changed"


@pytest.mark.req("JNL-030")
def test_a_closed_journal_is_not_taken_up_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="closed"):
        resume(sample(tmp_path / "a", 1, 20))


@pytest.mark.req("JNL-030")
def test_a_journal_is_taken_up_with_its_own_key(tmp_path: Path) -> None:
    path = crashed(tmp_path / "a", 250, KEY)
    for wrong in (None, bytes(32)):
        with pytest.raises((ValueError, JournalCorrupt)):
            resume(path, key=wrong)


@pytest.mark.req("JNL-026")
def test_one_writer_per_journal(tmp_path: Path) -> None:
    header = header_of()
    journal = JournalWriter.create(tmp_path / "a", header)
    with pytest.raises(BlockingIOError):
        resume(tmp_path / "a")
    journal.close()


@pytest.mark.req("JNL-031")
def test_the_anchor_that_a_crash_left_out_is_made_up(tmp_path: Path) -> None:
    path = crashed(tmp_path / "a", 60, KEY, every=10)
    with opened(path) as data:
        anchor = [frame for frame in scan(data) if frame.tag == Tag.ANCHOR][-1]
        whole = data[:]
    path.write_bytes(whole[: anchor.offset] + bytes(100))
    journal, recovery = resume(path, key=KEY)
    assert recovery.events % 10 == 0
    journal.close()
    assert replayed(path, KEY).authentic is True


# --- the operator's words ------------------------------------------------------------------------


def operators_journal(path: Path, who: str, why: str) -> Path:
    """A journal in which an operator kills, giving reasons."""
    header = header_of()
    state = header.opening_state()
    event = TripKillSwitch(
        cause=3, operator=number_of("alice", OPERATOR_MAX), reason=number_of("drill", REASON_MAX)
    )
    with JournalWriter.create(path, header) as journal:
        tick = AdvanceTime(process_time_ms=5)
        outcome = step(state, tick)
        assert isinstance(outcome, Accepted)
        journal.record(state, tick, outcome)
        state = outcome.state
        journal.record_operator(state, event, step(state, event), who=who, why=why)
    return path


@pytest.mark.req("JNL-023")
def test_an_operators_words_stand_before_the_event(tmp_path: Path) -> None:
    path = operators_journal(tmp_path / "a", "alice", "drill")
    assert replayed(path).divergence is None
    with opened(path) as data:
        tags = [frame.tag for frame in scan(data)]
    assert tags == [Tag.HEADER, Tag.EVENT, Tag.NOTE, Tag.EVENT, Tag.CLOSE]


@pytest.mark.req("JNL-023")
@pytest.mark.parametrize(("who", "why"), [("bob", "drill"), ("alice", "fun")])
def test_other_words_do_not_fit_the_event(tmp_path: Path, who: str, why: str) -> None:
    path = operators_journal(tmp_path / "a", who, why)
    with pytest.raises(JournalCorrupt, match="words"):
        replayed(path)


@pytest.mark.req("JNL-012")
def test_a_body_that_is_no_record_is_malformed() -> None:
    for body in (b"", b"\1\0\0\0", b"\x63\0\0\0" + bytes(60), b"\1\2\0\0" + bytes(60)):
        with pytest.raises(Malformed):
            unpack_record(1, body)
