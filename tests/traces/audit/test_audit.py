"""``dolphin audit`` as an auditor meets it: three answers, one line for each broken journal."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dolphin.commands.audit import command
from kernel.constants import Profile
from kernel.outcome import Reason
from tests.traces.samples import KEY, header_of, sample, walk, write
from traces import provenance
from traces.audit import tlc
from traces.audit.explain import CONJUNCTS
from traces.audit.judge import NOT_CLOSED, audit_journals, read_journal
from traces.audit.ndjson import opened
from traces.audit.rows import Chunk
from traces.checksums import KEY_VARIABLE, key_id
from traces.frames import Tag, frame, prefix, scan

SHAPE = {
    "ok", "journals", "records", "intact", "replayed", "conformant", "authentic", "rejection",
    "coverage",
}  # fmt: skip


def run(*arguments: str | Path) -> Result:
    """Run the command; it must end by itself, without a traceback."""
    result = CliRunner().invoke(command, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.output
    return result


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever key the developer's environment names is none of these journals'."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A sound journal."""
    return sample(tmp_path / "a.journal", seed=21, count=300)


@pytest.mark.req("AUD-001")
def test_sound_journals_of_both_profiles_hold(tmp_path: Path) -> None:
    paths = [
        sample(tmp_path / f"{profile.name}.journal", 5, 600, profile, KEY) for profile in Profile
    ]
    key = tmp_path / "key"
    key.write_text(KEY.hex())
    result = run(*paths, "--json", "--key", key)
    data = json.loads(result.stdout)
    assert set(data) == SHAPE
    assert data["ok"] is True
    assert [data[name] for name in ("intact", "replayed", "conformant", "authentic")] == [True] * 4
    assert data["rejection"] is None
    assert data["records"] == sum(one["records"] for one in data["journals"])
    assert set(data["coverage"]) == {"actions", "edges"}
    assert data["coverage"]["actions"]["total"] == 22
    assert result.exit_code == 0


@pytest.mark.req("AUD-001", "JNL-033")
def test_lines_are_audited_like_bytes(journal: Path, tmp_path: Path) -> None:
    lines = tmp_path / "a.ndjson"
    assert run(journal, "--to-ndjson", lines).exit_code == 0
    result = run(lines, "--no-tlc", "--json")
    data = json.loads(result.stdout)
    assert (data["intact"], data["replayed"], data["conformant"]) == (True, True, None)


@pytest.mark.req("AUD-002", "JNL-022")
def test_progress_of_reading_ends_at_its_end(journal: Path) -> None:
    heard: list[tuple[int, int]] = []
    read_journal(journal, 0, None, told=lambda done, total: heard.append((done, total)))
    size = journal.stat().st_size
    assert heard[-1] == (size, size)
    assert heard == sorted(heard)


def test_what_was_not_run_never_passes(journal: Path) -> None:
    result = run(journal, "--no-tlc")
    assert result.exit_code == 3
    assert "not run" in result.output
    assert "authenticity not checked" in result.output


@pytest.mark.req("AUD-002", "JNL-022")
def test_without_the_key_the_audit_is_incomplete_and_names_it(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", seed=21, count=60, key=KEY)
    result = run(path)
    assert result.exit_code == 3
    for words in (key_id(KEY), "--key (not given)", f"{KEY_VARIABLE} (not set)"):
        assert words in result.output
    assert "anchor.key" not in result.output
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "anchor.key").write_text(KEY.hex())
    assert str(tmp_path / "keys" / "anchor.key") in run(path, "--no-tlc").output
    assert run(path, "--key", tmp_path / "keys" / "anchor.key").exit_code == 0


@pytest.mark.req("AUD-002")
@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "anchored"])
def test_a_journal_without_an_event_shows_nothing(tmp_path: Path, key: bytes | None) -> None:
    path = sample(tmp_path / "a.journal", seed=21, count=0, key=key)
    (tmp_path / "key").write_text(KEY.hex())
    result = run(path, "--json", *(() if key is None else ("--key", tmp_path / "key")))
    data = json.loads(result.stdout)
    assert (data["ok"], data["intact"]) == (False, True)
    assert (data["replayed"], data["conformant"]) == (None, None)
    assert "no event" in data["journals"][0]["replay"]
    assert result.exit_code == 3


@pytest.mark.req("AUD-002")
def test_a_sample_is_not_the_whole(tmp_path: Path) -> None:
    header = header_of()
    steps = list(walk(3, 60, header.opening_state()))
    paths = [write(tmp_path / f"{n}.journal", header, steps) for n in range(3)]
    result = run(*paths, "--sample", "60", "--json")
    assert json.loads(result.stdout)["conformant"] is None
    assert result.exit_code == 3


@pytest.mark.req("AUD-002")
def test_without_tlc_the_third_answer_is_not_run(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TLA2TOOLS_JAR", "/nowhere/tla2tools.jar")
    result = run(journal)
    assert result.exit_code == 3
    assert "/nowhere/tla2tools.jar" in result.output


# --- broken journals -----------------------------------------------------------------------------


def flipped(data: bytes) -> bytes:
    """One bit of record 9 turned."""
    place = list(scan(data))[9].offset + 30
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


def without(data: bytes) -> bytes:
    """Record 9 dropped."""
    nine = list(scan(data))[9]
    return data[: nine.offset] + data[nine.end :]


def doubled(data: bytes) -> bytes:
    """Record 9 twice."""
    nine = list(scan(data))[9]
    return data[: nine.end] + data[nine.offset : nine.end] + data[nine.end :]


def swapped(data: bytes) -> bytes:
    """Records 9 and 10 in the other order."""
    nine, ten = list(scan(data))[9:11]
    first, second = data[nine.offset : nine.end], data[ten.offset : ten.end]
    return data[: nine.offset] + second + first + data[ten.end :]


def unclosed(data: bytes) -> bytes:
    """The closing record cut off."""
    return data[: list(scan(data))[-1].offset]


def a_note(data: bytes) -> bytes:
    """One more record, its checksum and chain right."""
    last = list(scan(data))[-1]
    return frame(last.sequence + 1, Tag.NOTE, b"{}", last.chain)[0]


BROKEN: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "flipped bit": (flipped, 1, "record 9 is damaged"),
    "dropped": (without, 1, "record 9 is missing"),
    "repeated": (doubled, 1, "record 9 is repeated"),
    "swapped": (swapped, 1, "records are swapped: record 10 stands before record 9"),
    "torn": (lambda data: data[:-7], 1, "the last, is torn"),
    "newer": (lambda data: prefix(9) + data[16:], 3, "schema version 9"),
    "not closed": (unclosed, 1, NOT_CLOSED),
    "preallocated": (lambda data: unclosed(data) + bytes(99), 1, NOT_CLOSED),
    "zeros after its end": (lambda data: data + bytes(99), 1, "99 bytes follow the closing record"),
    "a byte after its end": (lambda data: data + b"\1", 1, "1 bytes follow the closing record"),
    "text after its end": (lambda data: data + b"and so on", 1, "record 302 is damaged"),
    "a record after its end": (lambda data: data + a_note(data), 1, "after the closing record"),
}


@pytest.mark.req("AUD-005", "AUD-001", "JNL-017")
@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_journal_is_told_apart_in_one_line(journal: Path, name: str) -> None:
    make, code, words = BROKEN[name]
    journal.write_bytes(make(journal.read_bytes()))
    result = run(journal, "--no-tlc", "--json")
    (line,) = [one for one in result.stderr.splitlines() if one.startswith("dolphin audit:")]
    assert words in line
    assert str(journal) in line
    assert result.exit_code == code
    data = json.loads(result.stdout)
    assert data["ok"] is False
    assert data["intact"] is (None if name == "newer" else False)


# Name and content of files that are no journals at all, and what is said of each.
NO_JOURNALS: dict[str, tuple[str, bytes, str]] = {
    "a page": ("README.md", b"# dolphin\n\nA trading system.\n", "begins with DOLPHINJ"),
    "another format": ("a.parquet", b"PAR1" + bytes(range(200)), "begins with DOLPHINJ"),
    "a byte": ("a.journal", b"\n", "begins with DOLPHINJ"),
    "nothing": ("a.journal", b"", "an empty file"),
    "zeros": ("a.journal", bytes(70_000), "nothing but zeros"),
    "no lines": ("a.ndjson", b"", "an empty file"),
    "lines of text": ("a.ndjson", b"# dolphin\n", "expected each line to be a JSON object"),
    "lines of other JSON": ("a.ndjson", b'{"a":1}\n', "expected each line to be a JSON object"),
    "lines of bytes": ("a.ndjson", bytes(range(256)), "expected each line to be a JSON object"),
}  # fmt: skip


@pytest.mark.req("AUD-008")
@pytest.mark.parametrize("name", NO_JOURNALS)
@pytest.mark.parametrize("words", [(), ("--json",), ("--to-ndjson", "{out}")])
def test_a_file_that_is_no_journal_is_one_line_and_no_answer(
    tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    file, content, said = NO_JOURNALS[name]
    path = tmp_path / file
    path.write_bytes(content)
    # Beside a sound one too, which would be judged for minutes before the mistake is told.
    beside = [] if "{out}" in words else [sample(tmp_path / "sound.journal", seed=1, count=9)]
    result = run(*beside, path, *(one.format(out=tmp_path / "new.ndjson") for one in words))
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"dolphin audit: {path}: ")
    assert said in line
    assert "expected" in line
    assert "b'" not in line
    assert not (tmp_path / "new.ndjson").exists()


@pytest.mark.req("AUD-008")
def test_a_file_larger_than_memory_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    with path.open("wb") as sink:
        sink.truncate(1 << 43)  # takes no room: a hole
    result = run(path)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line == (
        f"dolphin audit: {path}: cannot be read: larger than this machine's memory; "
        "expected a journal"
    )


@pytest.mark.req("AUD-005")
def test_the_lines_are_all_different(journal: Path) -> None:
    sound = journal.read_bytes()
    told = set()
    made = [make for name, (make, _, _) in BROKEN.items() if name != "preallocated"]
    made += [lambda data: b"PK" + data, lambda data: b""]
    for make in made:
        journal.write_bytes(make(sound))
        told.add(audit_journals([journal], tlc=False).journals[0].fault_text)
    assert len(told) == len(made)


@pytest.mark.req("AUD-001")
def test_what_stands_before_a_crash_is_judged(journal: Path) -> None:
    journal.write_bytes(unclosed(journal.read_bytes()))
    last = list(scan(journal.read_bytes()))[-1]
    (one,) = audit_journals([journal]).journals
    assert (one.intact, one.replayed, one.conformant) == (False, True, True)
    assert one.fault_text.endswith(f"record is {last.sequence}, which ends at byte {last.end}")


@pytest.mark.req("AUD-007")
def test_a_journal_of_another_version_names_it(journal: Path, tmp_path: Path) -> None:
    header = replace(header_of(), kernel_hash="f" * 32, version="7.1+abc")
    path = write(tmp_path / "other", header, walk(1, 20, header.opening_state()))
    result = run(path)
    assert result.exit_code == 3
    assert "written by version 7.1+abc, another kernel" in result.output


@pytest.mark.req("AUD-007")
def test_a_journal_of_other_models_is_not_judged_by_these(tmp_path: Path) -> None:
    header = replace(header_of(), spec_hash="f" * 32, version="7.1+abc")
    path = write(tmp_path / "other", header, walk(1, 20, header.opening_state()))
    (one,) = audit_journals([path]).journals
    assert (one.intact, one.replayed, one.conformant) == (True, True, None)
    assert "other models (7.1+abc)" in one.conformant_text


@pytest.mark.req("AUD-008")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no journal given"),
        (("/nowhere/j",), "/nowhere/j: cannot be read"),
        (("{journal}", "--key", "/nowhere/key"), "/nowhere/key"),
        (("{journal}", "--key", "{journal}"), "64 to 128 hexadecimal digits"),
        (("{journal}", "--key", "/dev/zero"), "/dev/zero: not hexadecimal text; expected"),
        (("{journal}", "{journal}", "--to-ndjson", "x.ndjson"), "takes one journal"),
        (("{journal}", "--to-ndjson", "/nowhere/x.ndjson"), "/nowhere/x"),
        (("{journal}", "--to-ndjson", "{journal}"), "ends in .ndjson"),
        (("{journal}", "--to-ndjson", "x"), "x: expected a name that ends in .ndjson"),
        (("{journal}", "--to-ndjson", "x.json"), "ends in .ndjson"),
        (("{journal}", "--to-ndjson", "x.NDJSON"), "ends in .ndjson"),
        (("{journal}", "--to-ndjson", ".ndjson"), "ends in .ndjson"),
        (("{journal}", "--sample", "-1"), "--sample"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(
    journal: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = journal.read_bytes()
    result = run(*(one.format(journal=journal) for one in arguments))
    assert result.exit_code == 2
    assert words in result.stderr
    assert [one.name for one in journal.parent.iterdir()] == [journal.name]
    assert journal.read_bytes() == before


@pytest.mark.req("AUD-008")
def test_lines_are_never_written_over_another_journal(journal: Path, tmp_path: Path) -> None:
    # The shell's way to say "all journals": the second becomes the option's value.
    other = tmp_path / "b.ndjson"
    assert run(sample(tmp_path / "b", seed=22, count=10), "--to-ndjson", other).exit_code == 0
    before = other.read_bytes()
    result = run(journal, "--to-ndjson", other)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"dolphin audit: {other}: is there already and is not replaced; expected a new path"
    ]
    assert other.read_bytes() == before


@pytest.mark.req("AUD-008")
def test_a_broken_journal_leaves_no_lines_behind(journal: Path, tmp_path: Path) -> None:
    journal.write_bytes(flipped(journal.read_bytes()))
    assert run(journal, "--to-ndjson", tmp_path / "x.ndjson").exit_code == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.journal"]


# --- parts ---------------------------------------------------------------------------------------


@pytest.mark.req("AUD-006")
def test_every_reason_has_its_conjunct() -> None:
    assert set(CONJUNCTS) == {reason.name for reason in Reason}


@pytest.mark.req("AUD-007")
def test_hashes_are_over_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").write_text("y")
    whole = provenance.hash_files([tmp_path / "a", tmp_path / "b"])
    assert whole == provenance.hash_files([tmp_path / "b", tmp_path / "a"])
    (tmp_path / "b").write_text("z")
    assert provenance.hash_files([tmp_path / "a", tmp_path / "b"]) != whole
    assert provenance.hash_files([]) == provenance.ABSENT


STATS = "{} states generated, {} distinct states found, 0 states left on queue."


@pytest.mark.req("AUD-002")
@pytest.mark.parametrize(
    "lines",
    [
        [STATS.format(3, 2)],
        [STATS.format(2, 2)],
        ["Model checking completed. No error has been found."],
        [STATS.format(3, 3), "Error: java.lang.OutOfMemoryError"],
    ],
)
def test_an_output_without_the_exact_counts_is_no_answer(lines: list[str]) -> None:
    # TLC exits 0 and says "No error" of a trace that it left half way: only counts are believed.
    chunk = Chunk(0, True, "", ["row", "row"], [1, 2])
    with pytest.raises(tlc.TlcFailed):
        tlc.judge_output([chunk], tlc.read_output(lines))
    assert tlc.judge_output([chunk], tlc.read_output([STATS.format(3, 3)])) == []


# --- a journal that is being written -------------------------------------------------------------

WRITER = """
import sys, time
from pathlib import Path
from tests.traces.samples import header_of, walk
from traces.journal import JournalWriter
header = header_of()
journal = JournalWriter.create(Path(sys.argv[1]), header)
print("begun", flush=True)
for number, step in enumerate(walk(7, 1_500, header.opening_state(), 0.0)):
    journal.record(*step)
    if number % 5 == 0:
        journal.commit()
journal.close()
"""


@pytest.mark.req("AUD-005", "JNL-046")
def test_a_journal_is_audited_while_it_is_written_closed_and_cut_to_size(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "begun\n"
    records, words = [0], set()
    while True:
        ended = writer.poll() is not None
        (one,) = audit_journals([path], tlc=False).journals
        assert one.records >= records[-1]
        records.append(one.records)
        assert one.replayed is not False
        words.add(one.fault_text.partition(";")[0])
        if ended:
            break
    assert (writer.returncode, one.intact, one.records) == (0, True, 1_502)
    assert len(set(records)) > 2, "it was never read in the midst of being written"
    assert {w for w in words if "torn" not in w} <= {"", NOT_CLOSED}
    assert NOT_CLOSED in words


@pytest.mark.req("JNL-046", "AUD-005")
def test_a_file_that_is_cut_while_it_is_read_ends_no_reader(tmp_path: Path) -> None:
    # A mapped file that is cut takes its reader's process with it: SIGBUS, exit 135, not a word.
    path = tmp_path / "a.journal"
    path.write_bytes(unclosed(sample(path, seed=3, count=100).read_bytes()) + bytes(1 << 20))
    with opened(path) as data:
        os.truncate(path, 100)
        frames = list(scan(data))
    assert len(frames) == 101


@pytest.mark.req("AUD-005")
def test_control_a_copy_taken_in_the_midst_of_a_write_is_taken_again(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two pages of one write may be seen in the other order: a hole, and a later record behind it.
    sound = journal.read_bytes()
    nine, ten = list(scan(sound))[9:11]
    hole = sound[: nine.offset] + bytes(nine.end - nine.offset) + sound[ten.offset :]
    copies = [hole, sound, sound]  # the first copy; the look whether it changed; the second copy
    take = partial(copies.pop, 0)
    monkeypatch.setattr(Path, "read_bytes", lambda _: take() if len(copies) > 1 else copies[0])
    (one,) = audit_journals([journal], tlc=False).journals
    assert (one.intact, one.fault_text) == (True, "")
    copies[:] = [hole]  # for good: it is damage
    (one,) = audit_journals([journal], tlc=False).journals
    assert (one.intact, one.fault_text.partition(" at")[0]) == (False, "record 9 is damaged")
