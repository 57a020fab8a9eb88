"""The catalogue: it is whole, and what is wrong with a table is one line with its place."""

from collections import Counter
from pathlib import Path

import pytest

from certification.requirements.catalogue import GROUPS, CatalogueError, load
from tests.certification.requirements.a_project import TABLE, put, tables


def test_the_kernel_has_its_low_level_requirements() -> None:
    catalogue = load()
    groups = Counter(one.group for one in catalogue.requirements.values())
    assert groups.keys() == GROUPS.keys()
    assert sum(count for group, count in groups.items() if group.startswith("KRN-")) >= 80


def test_every_text_is_said_once() -> None:
    texts = Counter(one.text for one in load().requirements.values())
    assert [text for text, count in texts.items() if count > 1] == []


def test_ids_count_up_in_their_files() -> None:
    """A number that is skipped was taken away: its links would dangle in somebody's head."""
    numbers: dict[str, list[int]] = {}
    for one in load().requirements.values():
        numbers.setdefault(one.group, []).append(int(one.id.rpartition("-")[2]))
    for group, found in numbers.items():
        assert sorted(found) == list(range(1, len(found) + 1)), group


def test_a_requirement_knows_its_line(tmp_path: Path) -> None:
    put(tmp_path, "certification/requirements/lamp.toml", TABLE)
    one = load(tables(tmp_path)).requirements["KRN-KILL-001"]
    assert TABLE.splitlines()[one.line - 1] == "[KRN-KILL-001]"


REJECTED = [
    ("[KRN-KILL-1]", 'text = "It shall."', "[KRN-KILL-1] id: expected a group"),
    ("[XYZ-001]", 'text = "It shall be."', "[XYZ-001] id: expected a group"),
    ("[SYS-002]", 'text = "It is."', 'text: expected one sentence that says "shall"'),
    ("[SYS-002]", 'text = "It shall be"', "ends with a full stop"),
    ("[SYS-002]", 'text = "It shall be."\nmethod = ["hope"]', "method: expected a list of test"),
    ("[SYS-002]", 'text = "It shall be."\nmethod = []', "method: expected a list of test"),
    ("[SYS-002]", 'text = "It shall be."\nlevel = "Z"', "level: expected one of A, B"),
    ("[SYS-002]", 'text = "It shall be."\nowner = "x"', "owner: expected one of"),
    ("[SYS-002]", 'text = "It shall be."\nrationale = 1', "rationale: expected a text"),
    ("[SYS-002]", "text = 7", "text: expected a text"),
    ("[SYS-001]", 'text = "It shall be."', "expected TOML"),
    ("[SYS-002", "", "expected TOML"),
]


@pytest.mark.parametrize(("head", "body", "words"), REJECTED)
def test_what_is_wrong_is_one_line(tmp_path: Path, head: str, body: str, words: str) -> None:
    more = f'\n{head}\nparent = "none"\n{body}\n'
    put(tmp_path, "certification/requirements/lamp.toml", TABLE + more)
    with pytest.raises(CatalogueError) as caught:
        load(tables(tmp_path))
    assert words in str(caught.value)
    assert str(caught.value).startswith("lamp.toml")
    assert "\n" not in str(caught.value)


def test_an_id_in_two_files_is_said(tmp_path: Path) -> None:
    put(tmp_path, "certification/requirements/a.toml", TABLE)
    put(tmp_path, "certification/requirements/b.toml", TABLE)
    with pytest.raises(CatalogueError, match=r"expected one that is not in a\.toml"):
        load(tables(tmp_path))


def test_no_table_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="expected tables"):
        load(tmp_path)
