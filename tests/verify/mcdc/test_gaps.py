"""Seeded gaps: modules whose gaps are known, which the tool must find, all of them and no other.

Rules of this file:

*   A sample is a module, the calls made of it, and the gaps it must then have: line, kind and a
    phrase of the words for it. The same sample with the calls that close them has none.
*   What is recorded is compared with what a plain interpreter of the tree would record: every
    assignment of random decisions, in each place where recording works differently.

Not here: which tests count (`test_plugin.py`).
"""

import importlib
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verify.mcdc.test_decisions import TREES, project
from verify.mcdc.decisions import Decision, Tree
from verify.mcdc.report import Report, build
from verify.mcdc.runtime import Data, Recorder, Run, survey

SAMPLES = {
    "one condition": ("def f(a):\n    if a:\n        return 1\n    return 2\n", "f(1)", "f(0)", [
        (2, "branch", "never false"), (2, "condition", "always true"),
        (4, "statement", "`return 2`")]),
    "second of and": ("def f(a, b):\n    return a and b\n", "f(True, True); f(False, True)",
        "f(True, False)", [(2, "condition", "condition 2 of 2 `b`")]),
    "masked or": ("def f(a, b, c):\n    if (a and b) or c:\n        pass\n",
        "f(1, 1, 0); f(0, 1, 0); f(0, 0, 1)", "f(1, 0, 0)",
        [(2, "condition", "condition 2 of 3 `b` never shown to decide: has it T, lacks it F with "
          "a=T, c=F")]),
    "not": ("def f(a):\n    return not a\n", "f(1)", "f(0)", [(2, "condition", "always true")]),
    "chain": ("def f(x):\n    if 0 <= x < 9:\n        return 1\n    return 0\n", "f(1); f(-1)",
        "f(9)", [(2, "condition", "condition 2 of 2 `x < 9`")]),
    "bool function": ("def f(x) -> bool:\n    return g(x)\ng = bool\n", "f(1)", "f(0)",
        [(2, "condition", "condition 1 of 1 `g(x)` always true")]),
    "argument": ("def f(x):\n    return str(x > 1)\n", "f(1)", "f(2)",
        [(2, "condition", "always false")]),
    "assignment": ("def f(x):\n    y = x == 1\n    z: bool = x\n    return y, z\n", "f(True)",
        "f(False)", [
        (2, "condition", "`x == 1` always true"), (3, "condition", "`x` always true")]),
    "default": ("def f(x):\n    return x or 'none'\n", "f('a')", "f('')",
        [(2, "condition", "condition 1 of 1 `x` always true")]),
    "lambda": ("f = lambda x: (x > 1 or x < 0) and x != 7\n", "f(2); f(0); f(-1)", "f(7)",
        [(1, "condition", "condition 3 of 3 `x != 7`")]),
    "comprehension": ("def f(xs):\n    return [x for x in xs if x > 1 and (x < 5 or x == 9)]\n",
        "f([1, 2, 6])", "f([9])", [(2, "condition", "condition 3 of 3 `x == 9`")]),
    "ternary, assert": ("def f(a, b):\n    assert b\n    return 1 if a else 2\n", "f(1, 1)",
        "f(0, 1)\ntry: f(0, 0)\nexcept AssertionError: pass", [
        (2, "branch", "assert `b` never false"), (2, "condition", "always true"),
        (3, "branch", "ternary `a` never false"), (3, "condition", "always true")]),
    "for": ("def f(xs):\n    for x in xs:\n        return x\n", "f([1])", "f([])",
        [(2, "branch", "`for x in xs:` never runs to its end")]),
    "while": ("def f(n):\n    while n > 0:\n        n -= 1\n", "f(0)", "f(1)", [
        (2, "branch", "while `n > 0` never true"), (2, "condition", "always false"),
        (3, "statement", "`n -= 1` never runs")]),
    "match": ("def f(x, a):\n    match x:\n        case 1 if a:\n            return 1\n"
        "        case 2:\n            return 2\n", "f(1, 1); f(2, 1)", "f(1, 0)", [
        (2, "branch", "never takes no case"), (3, "branch", "guard `a` never false"),
        (3, "condition", "always true")]),
    "except": ("def f(x):\n    try:\n        return 1 // x\n    except ZeroDivisionError:\n"
        "        return 0\n", "f(1)", "f(0)", [(5, "statement", "`return 0` never runs")]),
    "class body": ("T = True\nclass C:\n    x = T and (T or not T)\n", "", None, [
        (3, "condition", "1 of 3"), (3, "condition", "2 of 3"), (3, "condition", "3 of 3")]),
    "never reached": ("def f(a):\n    if a and a > 1:\n        pass\n", "", "f(0); f(1); f(2)", [
        (2, "statement", "never runs"), (2, "branch", "never true"), (2, "branch", "never false"),
        (2, "condition", "1 of 2 `a` never evaluated"), (2, "condition", "2 of 2"),
        (3, "statement", "`pass`")]),
    "no Boolean": ("class V:\n    __lt__ = lambda s, o: s\n    __bool__ = None\n"
        "def f(x):\n    return x < 1\n", "f(V())", "", []),
    "constant": ("def f():\n    while True:\n        return 1\n", "f()", "", []),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("sample", None)


def measure(
    folder: Path,
    source: str,
    calls: str,
    contracts: tuple[str, ...] = (),
    parts: tuple[str, ...] = (),
) -> Report:
    """Return the report of a module after some calls."""
    (folder / "sample.py").write_text(source, encoding="utf-8")
    importlib.invalidate_caches()
    sys.modules.pop("sample", None)
    with Recorder(["sample"]) as recorder:
        module = importlib.import_module("sample")
        recorder.pour("outside")
        exec(calls, dict(vars(module)))
        recorder.pour("requirement")
        recorder.data.tests["requirement"] = 1
        data = recorder.finish()
    Run(folder / "data.json").end(data)
    return build(Data.read(folder / "data.json"), "req", contracts, parts)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_seeded_gaps_are_found_and_no_other(name: str, folder: Path) -> None:
    source, calls, _, expected = SAMPLES[name]
    gaps = measure(folder, source, calls).gaps
    shown = [(gap.line, gap.kind, gap.words) for gap in gaps]
    assert len(shown) == len(expected), shown
    for line, kind, phrase in expected:
        assert any(g[:2] == (line, kind) and phrase in g[2] for g in shown), (phrase, shown)


@pytest.mark.parametrize(
    "name", [name for name, sample in SAMPLES.items() if sample[2] is not None]
)
def test_the_calls_that_close_them_leave_none(name: str, folder: Path) -> None:
    source, calls, closing, _ = SAMPLES[name]
    report = measure(folder, source, f"{calls}\n{closing}")
    assert report.gaps == []
    assert report.document()["ok"]


def test_figures(folder: Path) -> None:
    source, calls, _, _ = SAMPLES["masked or"]
    assert measure(folder, source, calls).figures() == {
        "statements": {"total": 3, "covered": 3, "justified": 0},
        "branches": {"total": 2, "covered": 2, "justified": 0},
        "conditions": {"total": 3, "covered": 2, "justified": 0},
        "mcdc": {"total": 3, "covered": 2, "justified": 0},
    }


def test_a_contract_is_told_apart(folder: Path) -> None:
    source = (
        "def holds(c): return lambda f: f\n"
        "@holds(lambda x: x > 1 and x < 5)\ndef f(x): return x == 3\n"
    )
    plain = measure(folder, source, "f(3); f(2)")
    apart = measure(folder, source, "f(3); f(2)", ("holds",))
    assert [gap.kind for gap in plain.gaps] == ["condition", "condition"]
    assert apart.gaps == []
    assert (apart.contracts, apart.contracts_evaluated) == (1, 0)


# --- recording ------------------------------------------------------------------------------------


def spell(tree: Tree) -> str:
    if isinstance(tree, int):
        return f"v[{tree}]"
    operator, operands = tree
    if operator == "not":
        return f"(not {spell(operands[0])})"
    return "(" + f" {operator} ".join(spell(each) for each in operands) + ")"


PLACES = [
    "def f(v):\n    if {e}: pass\n",
    "def f(v) -> bool:\n    return {e}\n",
    "def f(v):\n    x: bool = {e}\n",
    "def f(v):\n    return [1 for _ in (1,) if {e}]\n",
    "def f(v):\n    return [bool({e}) for _ in (1,)]\n",
    "def f(v):\n    class C:\n        if {e}: x = 1\n",
    "f = lambda v: 1 if {e} else 2\n",
]


@given(TREES.filter(lambda each: len(each.conditions) <= 5), st.sampled_from(PLACES))
def test_what_is_recorded_is_what_was_evaluated(each: Decision, place: str) -> None:
    source = place.format(e=spell(each.tree)).encode()
    count = len(each.conditions)
    found = [d for d in survey(source).decisions if len(d.conditions) == count and "v[0]" in d.text]
    chosen = next((d for d in found if not d.text.startswith("bool(")), found[0])
    with Recorder([]) as recorder:
        module: dict[str, object] = {}
        exec(recorder.compile("sample", source, "sample.py"), module)
        for values in product((False, True), repeat=count):
            recorder.codes.clear()
            module["f"](values)  # type: ignore[operator]  # a function of the sample
            inside = {c - chosen.code for c in recorder.codes if 0 <= c - chosen.code < chosen.span}
            assert inside == {project(each, values)[0]}
