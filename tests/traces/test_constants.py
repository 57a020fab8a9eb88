"""The kernel's constants under control: a version, a hash over values, a passing run on record."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from types import ModuleType

import pytest

from kernel.constants import AGE_MS_MAX, CONSTANTS_VERSION, HEARTBEAT_MS_MAX, Profile
from kernel.state import Limits
from tests.tidy.findings import ROOT
from traces.constants import (
    COMMAND,
    RECORD,
    SOURCES,
    Entry,
    Unrecorded,
    constants_digest,
    limits_fault,
    read_entries,
    record_text,
    recorded,
    values_of,
    with_entry,
)

LIMITS = Limits(
    profile=Profile.BIBLE, live=True, grid_in_use=False, heartbeat_limit_ms=(30_000,) * 4,
    cooling_ms=1_000, confirm_window_ms=60_000, bar_ms_min=1_000, book_stale_ms=5_000,
)  # fmt: skip


def entry(**other: object) -> Entry:
    """Return an entry for what runs here, with fields replaced."""
    whole = Entry(CONSTANTS_VERSION, constants_digest(), "m", "j", 1, 1, 1, "e", "2026-11-25")
    return replace(whole, **other)  # type: ignore[arg-type]  # names of fields


def on_record(folder: Path, *entries: Entry) -> Path:
    path = folder / "constants.json"
    path.write_text(record_text(entries))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(Unrecorded) as caught:
        recorded(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


@pytest.mark.req("SHL-039")
def test_what_is_committed_is_on_record() -> None:
    found = recorded()
    assert found.version == CONSTANTS_VERSION
    assert found.runs > 100
    assert found.controls > 90
    assert found.edges > 80_000


@pytest.mark.req("SHL-039")
def test_the_models_are_still_those_of_the_record() -> None:
    """A model that changed since has not been run with these constants."""
    from verify.models.record import models_digest

    assert recorded().models_sha256 == models_digest(), "run `dolphin check --record`"


@pytest.mark.req("SHL-041")
def test_a_name_has_one_value_wherever_it_is_imported() -> None:
    seen: dict[str, object] = {}
    for module in SOURCES:
        for name, value in values_of((module,)).items():
            assert seen.setdefault(name, value) == value, name


@pytest.mark.req("SHL-041")
def test_every_kind_of_constant_is_in_the_hash() -> None:
    found = values_of()
    assert found["CEILING_APEX"] == 6
    assert found["Posture"] == {"HIBERNATE": 0, "TURTLE": 1, "STALKER": 2, "APEX": 3}
    assert isinstance(found["EXP_DIGITS"], tuple)
    assert found["REQUEST_ORDER"] == (2, 1, 1, 1)
    assert "SHOCK_PPM" in found


@pytest.mark.req("SHL-039", "SHL-041")
def test_control_a_changed_digit_is_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = constants_digest()
    monkeypatch.setattr("kernel.constants.CEILING_APEX", 7)
    assert constants_digest() != before
    with pytest.raises(Unrecorded, match=r"no passing model run.*dolphin check --record"):
        recorded()


@pytest.mark.req("SHL-039")
def test_another_version_is_not_this_one(tmp_path: Path) -> None:
    path = on_record(tmp_path, entry(version=CONSTANTS_VERSION + 1))
    assert f"{CONSTANTS_VERSION + 1} ({constants_digest()[:8]})" in refusal(path)


@pytest.mark.req("SHL-039")
def test_an_empty_run_is_no_run(tmp_path: Path) -> None:
    assert "the run was empty" in refusal(on_record(tmp_path, entry(edges=0)))
    assert "the run was empty" in refusal(on_record(tmp_path, entry(runs=0)))
    assert recorded(on_record(tmp_path, entry())) == entry()


@pytest.mark.req("SHL-039")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "field entries: a list expected"),
        ('{"entries": 3}', "field entries: a list expected"),
        ('{"entries": [3]}', "entry 0: fields"),
        ('{"entries": [{"version": 1}]}', "entry 0: fields"),
        (record_text((entry(),)).replace('"edges": 1', '"edges": "1"'), "entry 0: edges"),
    ],
)
def test_a_record_that_cannot_be_read_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    path.write_text(text)
    assert said in refusal(path)


@pytest.mark.req("SHL-039")
def test_an_absent_record_names_the_command(tmp_path: Path) -> None:
    assert "`dolphin check --record` makes one" in refusal(tmp_path / "constants.json")


@pytest.mark.req("SHL-041")
def test_a_version_keeps_its_numbers() -> None:
    older = entry(version=1)
    newer = entry(version=2, constants_sha256="other")
    assert with_entry((newer,), older) == (older, newer)
    again = replace(older, ran_at="later")
    assert with_entry((older, newer), again) == (again, newer)
    with pytest.raises(Unrecorded, match="changed numbers need a new version"):
        with_entry((older,), replace(older, constants_sha256="other"))


def test_the_committed_record_is_written_as_it_would_be_again() -> None:
    assert RECORD.read_text() == record_text(read_entries())
    assert json.loads(RECORD.read_text())["entries"]


@pytest.mark.req("SHL-040")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"heartbeat_limit_ms": (1, 1, 1, 1)}, ""),
        ({"heartbeat_limit_ms": (1, 0, 1, 1)}, "heartbeat_limit_ms[1] is 0; expected 1..30000"),
        ({"heartbeat_limit_ms": (1, 1, 1, HEARTBEAT_MS_MAX + 1)}, "heartbeat_limit_ms[3] is 30001"),
        ({"cooling_ms": -1}, "cooling_ms is -1"),
        ({"cooling_ms": 60_001}, "confirm_window_ms is 60000; expected 60001.."),
        ({"confirm_window_ms": 10**9}, "confirm_window_ms is 1000000000"),
        ({"bar_ms_min": 0}, "bar_ms_min is 0"),
        ({"book_stale_ms": -1}, "book_stale_ms is -1"),
    ],
)
def test_limits_stay_within_what_the_models_presuppose(
    change: dict[str, object], said: str
) -> None:
    found = limits_fault(replace(LIMITS, **change))  # type: ignore[arg-type]  # names of fields
    assert (found == "") if not said else (f"limits: {said}" in found)


@pytest.mark.req("SHL-039")
def test_control_the_process_does_not_start_with_other_numbers(tmp_path: Path) -> None:
    """A house with one digit changed: the kernel's process says one line and ends with 2."""
    for part in ("kernel", "traces", "dolphin", "verify"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "kernel" / "constants.py"
    text = path.read_text()
    assert "CEILING_APEX: Final[int] = 6" in text
    path.write_text(text.replace("CEILING_APEX: Final[int] = 6", "CEILING_APEX: Final[int] = 7"))
    run = tmp_path / "run"
    run.mkdir()
    code = "from tests.dolphin.shell.test_process import config_in; from pathlib import Path; "
    code += f"config_in(Path({str(run)!r}), {str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "dolphin.shell", str(run)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "no passing model run for version" in done.stderr
    assert sorted(path.name for path in run.iterdir()) == ["config.json", "keys"]


@pytest.mark.req("SHL-040")
def test_control_the_process_does_not_start_with_limits_out_of_bounds(tmp_path: Path) -> None:
    code = "from tests.dolphin.shell.test_process import config_in; from pathlib import Path; "
    code += "from msgspec.structs import replace; "
    code += f"made = config_in(Path({str(tmp_path)!r}), 'x'); "
    code += "replace(made, heartbeat_limit_ms=(60000,) * 4).save()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "dolphin.shell", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "config.json: limits: heartbeat_limit_ms[0] is 60000; expected 1..30000" in done.stderr


# --- Which names of a module are constants, and what is said where no run is on record at all ----


class Colour(IntEnum):
    """An enumeration."""

    RED = 1


@pytest.mark.req("SHL-041")
def test_constants_are_integers_tuples_and_enumerations_by_name() -> None:
    module = ModuleType("numbers_")
    names = {
        "Colour": Colour, "IntEnum": IntEnum, "Path": Path, "LIMIT": 3, "FLAG": True,
        "TABLE": (1, 2), "TEXT": "x", "RATE": 0.5, "lower": 4, "function": len,
    }  # fmt: skip
    vars(module).update(names)
    found = values_of((module,))
    assert found == {"Colour": {"RED": 1}, "LIMIT": 3, "FLAG": True, "TABLE": (1, 2)}
    assert values_of(()) == {}


@pytest.mark.req("SHL-039")
def test_a_record_without_a_run_says_that_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    path.write_text(record_text(()), encoding="utf-8")
    with pytest.raises(Unrecorded) as caught:
        recorded(path)
    assert str(caught.value) == (
        f"{path}: no passing model run for version {CONSTANTS_VERSION} of the constants "
        f"({constants_digest()[:8]}); recorded: none; {COMMAND}"
    )


# --- What is said of a record of runs, word for word, and the edges of every bound on the limits


ONE_MAKES_IT = "`dolphin check --record` makes one"
LONG = "0123456789abcdef"


class AsciiMachine(Path):
    """A path on a machine whose locale knows ASCII alone: text is that where none is named."""

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Read the text as such a machine does."""
        return super().read_text(encoding or "ascii", errors)


@pytest.mark.req("SHL-039")
def test_an_absent_record_is_said_word_for_word_with_the_command(tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    assert refusal(path) == f"{path}: No such file or directory; {ONE_MAKES_IT}"


@pytest.mark.req("SHL-039")
def test_read_entries_reads_the_same_record_on_every_machine(tmp_path: Path) -> None:
    there = entry(ran_at="Zürich, 2026-11-25")
    path = AsciiMachine(tmp_path / "constants.json")
    text = record_text((there,)).replace("\\u00fc", "ü")
    path.write_bytes(text.encode())
    assert "ü" in text
    assert read_entries(path) == (there,)


@pytest.mark.req("SHL-039")
def test_read_entries_names_the_fields_that_an_entry_has(tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    path.write_text('{"entries": [{"version": 1}]}', encoding="utf-8")
    assert refusal(path) == (
        f"{path}: entry 0: fields version, constants_sha256, models_sha256, jar_sha256, runs, "
        "controls, edges, edges_sha256, ran_at expected"
    )


@pytest.mark.req("SHL-039")
def test_recorded_lists_the_versions_that_are_on_record(tmp_path: Path) -> None:
    path = on_record(tmp_path, *(entry(version=n, constants_sha256=LONG) for n in (1001, 1002)))
    assert refusal(path) == (
        f"{path}: no passing model run for version {CONSTANTS_VERSION} of the constants "
        f"({constants_digest()[:8]}); recorded: 1001 (01234567), 1002 (01234567); {ONE_MAKES_IT}"
    )


@pytest.mark.req("SHL-041")
def test_with_entry_names_the_version_and_eight_digits_of_its_numbers() -> None:
    older = entry(version=1, constants_sha256=LONG)
    with pytest.raises(Unrecorded) as caught:
        with_entry((older,), replace(older, constants_sha256="other"))
    assert str(caught.value) == (
        "kernel/constants.py: CONSTANTS_VERSION 1 is on record with other numbers (01234567); "
        "changed numbers need a new version"
    )


@pytest.mark.req("SHL-040")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cooling_ms": 0}, ""),
        ({"cooling_ms": -1}, "cooling_ms is -1; expected 0..999999999"),
        ({"cooling_ms": AGE_MS_MAX - 1, "confirm_window_ms": AGE_MS_MAX - 1}, ""),
        ({"cooling_ms": AGE_MS_MAX, "confirm_window_ms": AGE_MS_MAX},
         "cooling_ms is 1000000000; expected 0..999999999"),
        ({"cooling_ms": 7, "confirm_window_ms": 7}, ""),
        ({"cooling_ms": 7, "confirm_window_ms": 6},
         "confirm_window_ms is 6; expected 7..999999999"),
        ({"confirm_window_ms": AGE_MS_MAX},
         "confirm_window_ms is 1000000000; expected 1000..999999999"),
        ({"bar_ms_min": 1}, ""),
        ({"bar_ms_min": 0}, "bar_ms_min is 0; expected 1..1000000000"),
        ({"bar_ms_min": AGE_MS_MAX}, ""),
        ({"bar_ms_min": AGE_MS_MAX + 1}, "bar_ms_min is 1000000001; expected 1..1000000000"),
        ({"book_stale_ms": 0}, ""),
        ({"book_stale_ms": -1}, "book_stale_ms is -1; expected 0..1000000000"),
        ({"book_stale_ms": AGE_MS_MAX}, ""),
        ({"book_stale_ms": AGE_MS_MAX + 1}, "book_stale_ms is 1000000001; expected 0..1000000000"),
    ],
    ids=range(15),
)  # fmt: skip
def test_limits_fault_holds_each_limit_to_its_first_and_last_value(
    change: dict[str, int], said: str
) -> None:
    found = limits_fault(replace(LIMITS, **change))  # type: ignore[arg-type]  # names of fields
    assert found == (f"limits: {said}" if said else "")
