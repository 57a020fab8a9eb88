"""The file of the kernel's process, run under another name: it starts nothing, and has its figures.

Rule of this file: the module is not imported, here or by what is imported here. What a program
does that is started when it should only be read is seen in a test, not while tests are collected.

Not here: what the loop does with the figures (``test_loop_timing``), the process
(``test_process``, ``test_start``).
"""

import runpy
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def read(project_root: Path) -> dict[str, Any]:
    """What the file defines for who reads it and does not start it."""
    path = project_root / "dolphin" / "shell" / "__main__.py"
    return runpy.run_path(str(path), run_name="kernel_process_that_is_read")


@pytest.mark.req("SHL-033")
def test_who_reads_the_kernel_process_starts_none(read: dict[str, Any]) -> None:
    assert callable(read["main"])


@pytest.mark.req("SHL-030", "SHL-036")
@pytest.mark.parametrize(("name", "code"), [("UNUSABLE", 2), ("TRY_AGAIN", 1)])
def test_the_exit_codes_tell_what_stays_unusable_from_what_may_pass(
    read: dict[str, Any], name: str, code: int
) -> None:
    assert read[name] == code


@pytest.mark.req("SHL-020")
def test_a_turn_reads_64_messages_of_a_role(read: dict[str, Any]) -> None:
    assert read["TURN_MESSAGES"] == 64


@pytest.mark.req("SHL-021")
def test_the_parts_have_a_minute_to_come(read: dict[str, Any]) -> None:
    assert read["START_WITHIN_S"] == 60.0
