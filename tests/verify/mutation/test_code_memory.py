"""What is computed once for many tests counts as reached by each of them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from verify.mutation.code_memory import Memories

TESTS = """
from functools import cache

ran = []

@cache
def table():
    ran.append("table")
    return {"rows": rows()}

@cache
def rows():
    return [1, 2]

@cache
def of(number):
    return number + 1

@cache
def broken():
    raise ValueError
"""


@pytest.fixture
def module(tmp_path: Path) -> Any:
    folder = tmp_path / "tests"
    folder.mkdir()
    file = folder / "test_some.py"
    file.write_text(TESTS, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("test_some", file)
    assert spec is not None
    assert spec.loader is not None
    made: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def memories(module: Any, tree: str = ".") -> Memories:
    caches = [module.table, module.rows, module.of, module.broken]
    return Memories(caches, Path(module.__file__).parents[1] / tree, lambda: 0.0)


def line_of(text: str) -> int:
    return TESTS.splitlines().index(text) + 1


def test_a_table_is_computed_once_and_counts_for_each_that_asks(module: Any) -> None:
    known = memories(module)
    known.fill([1, 0])
    for _ in range(2):
        known.clear(all_of_them=False)
        asked = known.asked()
        module.table()
        hits, computed = asked()
        assert (hits, computed) == ([0], [])
        (found,) = known.of(hits)
        assert found.lines["tests/test_some.py"] >= {
            line_of('    return {"rows": rows()}'),
            line_of("    return [1, 2]"),
        }
    assert module.ran == ["table"]


def test_what_was_not_asked_counts_for_nobody(module: Any) -> None:
    known = memories(module)
    known.fill([0, 1])
    asked = known.asked()
    module.of(3)
    assert asked() == ([], [2])


def test_a_mutant_begins_without_any_of_it(module: Any) -> None:
    known = memories(module)
    known.fill([0])
    known.clear(all_of_them=True)
    asked = known.asked()
    module.table()
    assert asked()[1] == [0, 1]
    assert module.ran == ["table", "table"]


@pytest.mark.parametrize(
    ("number", "tree"), [(2, "."), (3, "."), (0, "other")],
    ids=["has a parameter", "raises", "is no test's"],
)  # fmt: skip
def test_what_cannot_be_filled_stays_empty(module: Any, number: int, tree: str) -> None:
    known = memories(module, tree)
    known.fill([number])
    assert known.caches[number].cache_info().currsize == 0
    assert sys.monitoring.get_tool(4) is None
