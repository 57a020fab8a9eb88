"""A fresh project with one run for each test of the report."""

from pathlib import Path

import pytest

from tests.certification import a_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run in a project of its own; the project is ``run.parent.parent``."""
    return a_run.write_project(tmp_path)
