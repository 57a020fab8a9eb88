"""``dolphin audit`` as an auditor meets it: three answers, one line for each broken journal."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dolphin.commands.audit import command
from kernel.constants import Profile
from kernel.outcome import Reason
from tests.traces.samples import KEY, header_of, sample, walk, write
from traces import provenance, tlc
from traces.audit import audit_journals
from traces.explain import CONJUNCTS
from traces.frames import prefix, scan
from traces.rows import Chunk

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
def test_what_was_not_run_never_passes(journal: Path) -> None:
    result = run(journal, "--no-tlc")
    assert result.exit_code == 3
    assert "not run" in result.output
    assert "authenticity not checked" in result.output


@pytest.mark.req("AUD-002")
def test_a_sample_is_not_the_whole(tmp_path: Path) -> None:
    header = header_of()
    steps = list(walk(3, 700, header.opening_state()))
    paths = [write(tmp_path / f"{n}.journal", header, steps) for n in range(3)]
    result = run(*paths, "--sample", "700", "--json")
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


BROKEN: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "flipped bit": (flipped, 1, "record 9 is damaged"),
    "dropped": (without, 1, "record 9 is missing"),
    "repeated": (doubled, 1, "record 9 is repeated"),
    "swapped": (swapped, 1, "records are swapped: record 10 stands before record 9"),
    "torn": (lambda data: data[:-7], 1, "the last, is torn"),
    "foreign": (lambda data: b"PK\3\4" + data, 2, "not a journal"),
    "empty": (lambda data: b"", 2, "an empty file"),
    "newer": (lambda data: prefix(9) + data[16:], 3, "schema version 9"),
    "not closed": (unclosed, 1, "not closed: crash or truncation"),
    "preallocated": (lambda data: unclosed(data) + bytes(99), 1, "not closed: crash or truncation"),
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


@pytest.mark.req("AUD-005")
def test_the_lines_are_all_different(journal: Path) -> None:
    sound = journal.read_bytes()
    told = set()
    for name, (make, _, _) in BROKEN.items():
        if name != "preallocated":
            journal.write_bytes(make(sound))
            told.add(audit_journals([journal], tlc=False).journals[0].fault_text)
    assert len(told) == len(BROKEN) - 1


@pytest.mark.req("AUD-001")
def test_what_stands_before_a_crash_is_judged(journal: Path) -> None:
    journal.write_bytes(unclosed(journal.read_bytes()))
    (one,) = audit_journals([journal]).journals
    assert (one.intact, one.replayed, one.conformant) == (False, True, True)


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
        (("{journal}", "{journal}", "--to-ndjson", "x"), "takes one journal"),
        (("{journal}", "--to-ndjson", "/nowhere/x"), "/nowhere/x"),
        (("{journal}", "--sample", "-1"), "--sample"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(
    journal: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = run(*(one.format(journal=journal) for one in arguments))
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.req("AUD-008")
def test_a_broken_journal_leaves_no_lines_behind(journal: Path, tmp_path: Path) -> None:
    journal.write_bytes(flipped(journal.read_bytes()))
    assert run(journal, "--to-ndjson", tmp_path / "x").exit_code == 1
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
