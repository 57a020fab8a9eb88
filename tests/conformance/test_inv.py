"""One invariant on both sides, by name: ``Inv`` of the models and of the kernel.

``MCInductive.tla`` and ``kernel/invariants.py`` each conjoin it.

A strengthening may live in any module of either side; its name may not differ. What only one side
can say is listed here, one by one, with the reason.
"""

import ast
import importlib
import inspect
import re

import pytest

from kernel import invariants
from verify.models.checking import SPEC_FOLDER
from verify.models.manifest import load_manifest, read_cfg

# Conjuncts of the kernel's Inv that are no invariant of the models, and why.
CODE_ONLY: dict[str, str] = {}

# Strengthenings of the models that kernel/invariants.py does not name yet. A name that it has is
# off this list, by test.
MODEL_ONLY: dict[str, str] = {}


def conjuncts_of_model(text: str) -> set[str]:
    """Return the names that ``Inv`` conjoins in a module's text."""
    match = re.search(r"(?m)^Inv ==\n((?:    /\\ \w+\n)+)", text)
    assert match is not None, "no Inv, or it is no list of names"
    return set(re.findall(r"\w+", match.group(1)))


def names_called(function: object) -> set[str]:
    """Return the names in a model's spelling that a function calls, itself or through others."""
    found: set[str] = set()
    waiting = [function]
    while waiting:
        one = waiting.pop()
        module = importlib.import_module(one.__module__)
        for node in ast.walk(ast.parse(inspect.getsource(one))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
                called = getattr(module, name, None)
                if name in found or not inspect.isfunction(called):
                    continue
                found.add(name)
                if called.__module__.startswith("kernel."):
                    waiting.append(called)
    return {name for name in found if name[0].isupper()}


def invariants_of_code() -> set[str]:
    """Return the invariants that the kernel names: predicates of a state in a model's spelling."""
    return {
        name
        for name, thing in vars(invariants).items()
        if name[0].isupper()
        and inspect.isfunction(thing)
        and list(inspect.signature(thing).parameters) == ["state"]
    } - {"Inv"}


def differences(model: set[str], code: set[str]) -> list[str]:
    """Return a line for each name that one side has alone."""
    return sorted(
        [f"{name}: in MCInductive.tla, Inv; not in kernel/invariants.py" for name in model - code]
        + [f"{name}: in kernel/invariants.py; not in MCInductive.tla, Inv" for name in code - model]
    )


def test_both_sides_name_the_same_conjuncts() -> None:
    model = conjuncts_of_model((SPEC_FOLDER / "MCInductive.tla").read_text())
    code = invariants_of_code() | names_called(invariants.Inv)
    assert CODE_ONLY.keys() <= code
    assert MODEL_ONLY.keys() <= model - code
    assert differences(model - MODEL_ONLY.keys(), code - CODE_ONLY.keys()) == []


def test_every_inductive_window_asks_all_of_inv() -> None:
    model = conjuncts_of_model((SPEC_FOLDER / "MCInductive.tla").read_text())
    windows = [
        row for row in load_manifest(SPEC_FOLDER) if row.module == "MCInductive" and not row.control
    ]
    assert len(windows) >= 5
    for row in windows:
        asked = read_cfg((SPEC_FOLDER / row.cfg).read_text())
        assert set(asked.invariants) == model, row.name
        assert asked.other["ACTION_CONSTRAINT"] == "OneStep", row.name
        assert "StepsAreTraders" in asked.properties, row.name


def test_the_refinement_is_asked_in_every_window_of_the_kernel() -> None:
    rows = [row for row in load_manifest(SPEC_FOLDER) if row.module == "MCKernel" and not row.of]
    for row in rows:
        asked = read_cfg((SPEC_FOLDER / row.cfg).read_text())
        assert "RefinesTrader" in asked.properties, row.name
    assert len(rows) >= 5


def test_a_trader_reads_it_in_a_minute() -> None:
    lines = (SPEC_FOLDER / "Trader.tla").read_text().splitlines()
    assert len(lines) <= 60


# --- it can fail ---------------------------------------------------------------------------------


def test_control_a_name_that_one_side_lacks_is_told() -> None:
    text = "Inv ==\n    /\\ TypeOK\n    /\\ KilledIffCause\n\n"
    model = conjuncts_of_model(text)
    assert model == {"TypeOK", "KilledIffCause"}
    assert differences(model, {"TypeOK", "Other"}) == [
        "KilledIffCause: in MCInductive.tla, Inv; not in kernel/invariants.py",
        "Other: in kernel/invariants.py; not in MCInductive.tla, Inv",
    ]


def test_control_an_inv_that_is_no_list_is_no_inv() -> None:
    with pytest.raises(AssertionError, match="no Inv"):
        conjuncts_of_model("Inv == TypeOK\n")
