"""Predicates that only contracts call: counted apart, never dropped.

Rules of this file:

*   A sample has `always`, a contract of production, and `part`, one that production leaves out.
*   On the strict side: a predicate counts as code as soon as anything else speaks its name.

Not here: contracts' own lambdas (`test_gaps.py`).
"""

from pathlib import Path

import pytest

from tests.verify.mcdc.test_gaps import folder, measure
from verify.mcdc.reach import only_for_contracts

__all__ = ["folder"]

HEAD = "def always(c): return lambda f: f\ndef part(c): return lambda f: f\n"
PREDICATE = "def small(x) -> bool:\n    return x > 1 and x < 5\n"
ASKED = "@part(lambda x: small(x))\ndef f(x):\n    return x\n"
THROUGH = (
    "def fits(x) -> bool:\n    return small(x)\n@part(lambda x: fits(x))\ndef f(x): return x\n"
)


@pytest.mark.parametrize(
    ("rest", "apart"),
    [
        (ASKED, {"small"}),
        (THROUGH, {"small", "fits"}),
        (ASKED.replace("part", "always"), set()),
        (THROUGH.replace("part", "always"), set()),
        (ASKED + "def g(x): return small(x)\n", set()),
        (ASKED + "class C:\n    def m(self, x): return small(x)\n", set()),
        (ASKED + "def g(m, x): return m.small(x)\n", set()),
        (ASKED + "def g(m): return getattr(m, 'small')\n", set()),
        (ASKED + "RULES = (small,)\n", set()),
        (ASKED + "def g(x, by=small): return by(x)\n", set()),
        (ASKED + "@always(lambda x: small(x))\ndef g(x): return x\n", set()),
        (THROUGH + "def g(x): return fits(x)\n", set()),
        ("", set()),
        # An entry that nobody calls here, a local variable of its name: no door out of code.
        (
            ASKED + "def step(x): return g(x)\ndef g(x):\n    step = small(x)\n    return step\n",
            set(),
        ),
        (ASKED + "def step(x): return small(x)\n", set()),
        ("def a(x): return b(x)\ndef b(x): return a(x)\n", set()),
    ],
)
def test_what_counts_as_asked_by_contracts_alone(rest: str, apart: set[str]) -> None:
    source = (HEAD + PREDICATE + rest).encode()
    found = only_for_contracts({"sample": source}, ("part",))
    assert found == {("sample", name) for name in apart}


def test_a_use_in_another_module_counts() -> None:
    asked = (HEAD + PREDICATE + ASKED).encode()
    other = b"from sample import small\n"
    call = b"def g(x):\n    return small(x)\n"
    assert only_for_contracts({"sample": asked, "other": other}, ("part",)) == {("sample", "small")}
    assert only_for_contracts({"sample": asked, "other": other + call}, ("part",)) == frozenset()


def test_predicates_have_figures_and_gaps_of_their_own(folder: Path) -> None:
    source = HEAD + PREDICATE + ASKED
    report = measure(folder, source, "f(3); small(3); small(0); always(0)(0)", parts=("part",))
    document = report.document()
    assert report.gaps == []
    assert document["ok"]
    apart = document["contract_predicates"]
    assert apart["functions"] == ["sample.small"]
    assert apart["coverage"]["mcdc"] == {"total": 2, "covered": 1, "justified": 0}
    assert [gap["item"] for gap in apart["gaps"]] == ["2"]
    assert document["coverage"]["mcdc"] == {"total": 0, "covered": 0, "justified": 0}


def test_control_a_contract_of_production_leaves_its_predicate_code(folder: Path) -> None:
    source = HEAD + PREDICATE + ASKED.replace("part", "always")
    calls = "f(3); small(3); small(0); part(0)(0)"
    report = measure(folder, source, calls, ("always",), ("part",))
    assert [gap.item for gap in report.gaps] == ["2"]
    assert report.document()["contract_predicates"]["functions"] == []
