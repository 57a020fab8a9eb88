"""What is said of a record of runs, word for word, and the edges of every bound on the limits.

Not here: that each fault is found (``test_constants.py``), names (``test_constants_decisions.py``).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from kernel.constants import AGE_MS_MAX, CONSTANTS_VERSION
from tests.traces.test_constants import LIMITS, entry, on_record, refusal
from traces.constants import (
    Unrecorded,
    constants_digest,
    limits_fault,
    read_entries,
    record_text,
    with_entry,
)

COMMAND = "`dolphin check --record` makes one"
LONG = "0123456789abcdef"


class AsciiMachine(Path):
    """A path on a machine whose locale knows ASCII alone: text is that where none is named."""

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Read the text as such a machine does."""
        return super().read_text(encoding or "ascii", errors)


@pytest.mark.req("SHL-039")
def test_an_absent_record_is_said_word_for_word_with_the_command(tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    assert refusal(path) == f"{path}: No such file or directory; {COMMAND}"


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
        f"({constants_digest()[:8]}); recorded: 1001 (01234567), 1002 (01234567); {COMMAND}"
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
