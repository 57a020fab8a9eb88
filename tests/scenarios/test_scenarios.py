"""Every scenario file says what the kernel does, to the letter, and which requirements it shows."""

import re
from pathlib import Path

import pytest

from tests.scenarios.player import FOLDER, played

SCENARIOS = sorted(FOLDER.glob("*.txt"))


def shown(path: Path) -> list[str]:
    """Return the requirements that a scenario says it shows."""
    said = re.findall(r"(?m)^# Shows (.*)\.$", path.read_text())
    return [one for line in said for one in line.split(", ")]


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.req(*shown(path)), id=path.stem) for path in SCENARIOS],
)
def test_scenario(path: Path) -> None:
    text = path.read_text()
    assert played(text) == text


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 12


def test_a_wrong_answer_is_seen() -> None:
    """The negative control: one word changed in one answer."""
    text = SCENARIOS[0].read_text()
    assert "accepted" in text
    assert played(text.replace("  accepted", "  refused", 1)) != text.replace(
        "  accepted", "  refused", 1
    )


def test_a_field_that_an_event_does_not_have_is_said() -> None:
    with pytest.raises(ValueError, match="CloseOrder takes"):
        played("open bible\nCloseOrder instrument=1\n")
