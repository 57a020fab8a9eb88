"""What is level A is data, and every module of its packages is in it: listed, or named with why."""

import re
import shutil
from pathlib import Path

import pytest

from verify import level_a
from verify.level_a import LIST


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A tree with the list, and two packages of one module each."""
    for name in ("a/__init__.py", "a/one.py", "b/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    write(tmp_path)
    return tmp_path


def write(root: Path, old: str = "", new: str = "") -> None:
    """Write the list that fits, with one change."""
    text = (
        'packages = ["a", "b"]\n[level_a]\n"a" = "it is"\n"a.one" = "it is"\n'
        '[not_level_a]\n"b" = "a tool"\n'
    )
    (root / LIST).parent.mkdir(exist_ok=True)
    (root / LIST).write_text(text.replace(old, new), encoding="utf-8")


def test_every_module_is_listed_or_excluded_with_a_reason(project_root: Path) -> None:
    assert level_a.findings(project_root) == []


def test_the_lists_packages_are_the_table_s(project_root: Path) -> None:
    """docs/ARCHITECTURE.md gives level A to these packages and to no other."""
    page = (project_root / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    found = {row[1].strip(" `") for row in rows if len(row) > 4 and row[2].strip() == "A"}
    assert found == set(level_a.read(project_root).packages)


def test_each_exception_of_a_level_a_package_is_on_the_page(project_root: Path) -> None:
    page = (project_root / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = page.split("## Partitions and levels", 1)[1].split("\n## ", 1)[0]
    excluded = level_a.read(project_root).excluded
    parts = {name: name.rsplit(".", 1)[0] for name in excluded}
    missing = [
        name
        for name, package in parts.items()
        if not {f"`{name}`", f"`{name.replace('.', '/')}/`", f"`{package.replace('.', '/')}/`"}
        & set(re.findall("`[^`]+`", section))
    ]
    assert missing == []


def test_a_package_has_its_modules(house: Path) -> None:
    assert level_a.findings(house) == []
    assert level_a.read(house).below("a") == ("a", "a.one")
    assert level_a.read(house).below("b") == ()


def test_control_a_new_module_is_named(house: Path) -> None:
    (house / "a" / "two.py").write_text("", encoding="utf-8")
    assert level_a.findings(house) == [
        f"a/two.py: a.two is in neither table of {LIST}; list it, or say why it is not level A"
    ]


def test_control_a_module_that_went_is_named(house: Path) -> None:
    shutil.rmtree(house / "b")
    assert level_a.findings(house) == [f"{LIST}: b: no such module"]


def test_control_a_module_in_both_tables_is_named(house: Path) -> None:
    write(house, '"b" =', '"a.one" = "a tool"\n"b" =')
    assert level_a.findings(house) == [f"{LIST}: a.one is in both tables"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[not_level_a]", "[other]", f"{LIST}: expected packages, "),
        ('"a tool"', '" "', f"{LIST}: b: expected a sentence"),
        ('"a tool"', "3", f"{LIST}: b: expected a sentence"),
        ("packages", "=", f"{LIST}: "),
    ],
)
def test_control_a_bad_list_is_one_line(house: Path, old: str, new: str, says: str) -> None:
    write(house, old, new)
    with pytest.raises(ValueError) as caught:
        level_a.read(house)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)
