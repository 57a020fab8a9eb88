"""The item on requirements says what its judge says, and "not run" where the judge cannot say."""

from pathlib import Path

import pytest

from tests.certification.requirements import a_project
from tests.certification.requirements.a_project import CODE, TABLE, TEST, put
from verify.item import DOES_NOT_HOLD, FAST, HOLDS, NOT_RUN, Context, Outcome
from verify.requirements import ITEM
from verify.store import Store


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return a_project.write(tmp_path)


def ran(root: Path) -> Outcome:
    return ITEM.run(Context(FAST, root, Store(root / "store"), lambda done, total, what: None))


def test_a_sound_project_holds_and_leaves_the_matrix(project: Path) -> None:
    said = ran(project)
    assert (said.status, said.findings) == (HOLDS, ())
    assert said.figures["total"] == 3
    assert (said.figures["untested"], said.figures["failing"], said.figures["orphans"]) == (0, 0, 0)
    assert (project / "build" / "requirements" / "matrix.html").is_file()


def test_control_a_removed_test_is_named(project: Path) -> None:
    put(project, "tests/test_lamp.py", TEST.replace('@pytest.mark.req("KRN-KILL-001")', ""))
    said = ran(project)
    assert said.status == DOES_NOT_HOLD
    assert said.findings == (
        "certification/requirements/lamp.toml:11: untested: KRN-KILL-001: no test names it",
    )


def test_outcomes_of_other_sources_are_not_run(project: Path) -> None:
    put(project, "kernel/lamp.py", CODE + "\n")
    said = ran(project)
    assert said.status == NOT_RUN
    assert "other sources" in said.detail
    assert "untested" not in said.figures


def test_a_catalogue_that_cannot_be_read_does_not_hold(project: Path) -> None:
    put(project, "certification/requirements/lamp.toml", TABLE.replace("shall", "may"))
    said = ran(project)
    assert said.status == DOES_NOT_HOLD
    assert "lamp.toml:7: [SYS-001] text" in said.findings[0]
