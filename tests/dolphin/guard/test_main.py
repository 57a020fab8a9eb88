"""The file of the guard's process, run under another name: it starts nothing, and has its figures.

Rule of this file: the module is not imported, here or by what is imported here. What a program
does that is started when it should only be read is seen in a test, not while tests are collected;
so a figure and a worker is a test each.

Not here: what the loop does with the figures (``test_guard_loop``), the process
(``test_guard_loop``).
"""

import runpy
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def read(project_root: Path) -> dict[str, Any]:
    """What the file defines for who reads it and does not start it."""
    path = project_root / "dolphin" / "guard" / "__main__.py"
    return runpy.run_path(str(path), run_name="guard_process_that_is_read")


@pytest.mark.req("GRD-031")
def test_who_reads_the_guard_process_starts_none(read: dict[str, Any]) -> None:
    assert callable(read["main"])


@pytest.mark.req("GRD-031", "LNK-008")
@pytest.mark.parametrize(("name", "code"), [("UNUSABLE", 2), ("TRY_AGAIN", 1)])
def test_the_exit_codes_tell_what_stays_unusable_from_what_may_pass(
    read: dict[str, Any], name: str, code: int
) -> None:
    assert read[name] == code


@pytest.mark.req("GRD-004")
@pytest.mark.parametrize(
    ("worker", "paths"),
    [(0, ["alpha"]), (1, []), *((each, ["prober"]) for each in range(2, 8)), (8, [])],
)
def test_a_worker_speaks_on_its_own_path_alone(
    read: dict[str, Any], worker: int, paths: list[str]
) -> None:
    assert [name for name, workers in read["CLIENTS"].items() if worker in workers] == paths


@pytest.mark.req("GRD-026", "GRD-027", "GRD-030")
@pytest.mark.parametrize(
    ("name", "figure"),
    [("TURN_MESSAGES", 16), ("TURN_S", 0.02), ("HEARTBEAT_S", 0.25), ("BOOKS_S", 0.5)],
)
def test_a_turn_its_beats_and_the_books_have_their_figures(
    read: dict[str, Any], name: str, figure: float
) -> None:
    assert read[name] == figure
