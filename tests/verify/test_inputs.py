"""What an item keeps its result under holds at least what decides its record.

Else a file would change, the record be stale, and the kept result still be told as run here.
"""

from collections.abc import Iterable, Mapping

import pytest

from certification.standing import Reads, reads
from tests.tidy.findings import ROOT
from verify.inputs import files_of
from verify.item import Item
from verify.plan import LANES, items
from verify.suite import JUNIT

EVERY = {item.name: item for lane in LANES for item in items(lane)}


def matched(patterns: Iterable[str]) -> set[str]:
    """Return the files of the project that match."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


def lacking(listed: Mapping[str, Reads], items: Mapping[str, Item]) -> dict[str, list[str]]:
    """Return, by item, the files that decide its record and do not count for what is kept."""
    found = {
        name: sorted(matched((*what.files, *what.functions)) - matched(items[name].inputs))
        for name, what in listed.items()
    }
    return {name: files for name, files in found.items() if files}


def test_no_item_keeps_a_result_under_less_than_its_record() -> None:
    assert lacking(reads(ROOT), EVERY) == {}


def test_control_a_file_that_one_list_lacks_is_named() -> None:
    more = {"tests": Reads(files=("README.md", "kernel/gate.py"))}
    assert lacking(more, EVERY) == {"tests": ["README.md"]}


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [("tests", (JUNIT,)), ("requirements", ("build/requirements.json",)), ("constants", ())],
)
def test_the_one_list_serves_both(name: str, outcomes: tuple[str, ...]) -> None:
    assert files_of(name) == reads(ROOT)[name].files
    assert EVERY[name].inputs == (*outcomes, *files_of(name))
