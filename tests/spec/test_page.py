"""The page of the models says what is checked, and nothing else: every name on both sides."""

import re
from dataclasses import replace

from verify.models.checking import SPEC_FOLDER
from verify.models.manifest import load_manifest, read_cfg, with_counts

PAGE = (SPEC_FOLDER / "README.md").read_text(encoding="utf-8")


def theorems(page: str) -> set[str]:
    """Return the names in the first cells of the tables of theorems."""
    section = page.partition("## Theorems")[2].partition("## Windows")[0]
    cells = re.findall(r"(?m)^\| (`[^|]*) \|", section)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def checked() -> set[str]:
    """Return the invariants and properties that a model's configuration checks."""
    found: set[str] = set()
    for row in load_manifest(SPEC_FOLDER):
        if not row.control:
            read = read_cfg((SPEC_FOLDER / row.cfg).read_text(encoding="utf-8"))
            found |= {*read.invariants, *read.properties}
    return found


def test_every_theorem_on_the_page_is_checked() -> None:
    assert theorems(PAGE) - checked() == set()


def test_what_is_checked_is_on_the_page() -> None:
    silent = {name for name in checked() - {"TypeOK"} if f"`{name}`" not in PAGE}
    assert silent == set()


def test_the_counts_on_the_page_are_the_pinned_ones() -> None:
    rows = load_manifest(SPEC_FOLDER)
    assert with_counts(PAGE, rows) == PAGE, "`dolphin check --update` writes them"


def test_control_a_count_that_is_not_pinned_is_seen() -> None:
    rows = load_manifest(SPEC_FOLDER)
    other = [replace(row, distinct=row.distinct + 1) for row in rows]
    assert with_counts(PAGE, other) != PAGE
    assert with_counts("no table", other) == "no table"


def test_every_module_is_in_the_reading_order() -> None:
    listed = set(re.findall(r"\((\w+)\.tla\)", PAGE))
    modules = {path.stem for path in SPEC_FOLDER.glob("*.tla")}
    assert modules <= listed
    assert listed <= modules


def test_control_a_theorem_that_nothing_checks_is_seen() -> None:
    page = (
        "## Theorems\n\n| name | it says |\n|---|---|\n| `A`, `NoSuchThing` | so |\n\n## Windows\n"
    )
    assert theorems(page) == {"A", "NoSuchThing"}
    assert "NoSuchThing" not in checked()
