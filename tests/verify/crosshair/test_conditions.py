"""Every contract of the kernel is found, and CrossHair sees the same ones."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from verify.crosshair.conditions import callers_of, contracted_functions

ROOT = Path(__file__).resolve().parents[3]
KERNEL = ROOT / "kernel"

# What CrossHair's own reader of icontract sees, through the partials of kernel/contracts.py.
SEEN = """
import importlib, json, sys
from crosshair.condition_parser import IcontractParser
from crosshair.fnutil import FunctionInfo
found = {}
for name in sys.argv[1:]:
    module, _, function = name.rpartition(".")
    target = getattr(importlib.import_module(module), function)
    conditions = IcontractParser().get_fn_conditions(FunctionInfo.from_fn(target))
    ensured = [post.line for post in conditions.post if post.expr_source]
    found[name] = [sorted(pre.line for pre in conditions.pre), sorted(ensured)]
print(json.dumps(found))
"""


def test_every_decorator_is_a_condition() -> None:
    written = sum(
        len(re.findall(r"(?m)^@(?:require|ensure)(?:_part)?\(", path.read_text()))
        for path in KERNEL.rglob("*.py")
    )
    found = [one for each in contracted_functions(KERNEL) for one in each.conditions]
    assert len(found) == written > 30
    assert len({one.name for one in found}) == written


def test_crosshair_sees_every_condition_through_the_partials() -> None:
    functions = contracted_functions(KERNEL)
    environment = {**os.environ, "ICONTRACT_SLOW": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SEEN, *(one.name for one in functions)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = json.loads(done.stdout)
    for one in functions:
        required = sorted(each.line for each in one.conditions if each.kind == "require")
        ensured = sorted(each.line for each in one.conditions if each.kind == "ensure")
        assert seen[one.name] == [required, ensured], one.name


def test_the_names_are_for_people() -> None:
    (one,) = [one for one in contracted_functions(KERNEL) if one.name == "kernel.fixed.exp_up"]
    assert [each.name for each in one.conditions] == [
        "kernel.fixed.exp_up require 1: n >= 0",
        "kernel.fixed.exp_up ensure 1: 0 <= result <= ONE",
    ]


def test_callers() -> None:
    callers = callers_of(KERNEL)
    assert "kernel.fixed.exp_up" in callers["kernel.fixed.exp_down"]
    assert "kernel.step.step" not in callers


def hashes(kernel: Path) -> dict[str, str]:
    return {one.name: one.sha256 for one in contracted_functions(kernel)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    place = tmp_path / "kernel"
    shutil.copytree(KERNEL, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name}: {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new))


def test_an_edit_changes_the_hash_of_what_hangs_on_it_and_of_nothing_else(copy: Path) -> None:
    before = hashes(copy)
    assert before == hashes(KERNEL)
    replace(copy / "fixed.py", "return min(ONE, exp_down(n) + ERROR_MAX)", "return ONE")
    after = hashes(copy)
    changed = {name for name in before if after[name] != before[name]}
    assert "kernel.fixed.exp_up" in changed
    assert "kernel.fixed.exp_down" not in changed
    # What is reached through a function without a contract counts too.
    assert "kernel.survival.lower" in changed


def test_control_a_new_contract_is_found(copy: Path) -> None:
    replace(
        copy / "ranges.py", "@pure\ndef within(", "@ensure_part(lambda result: result)\ndef within("
    )
    names = [one.name for one in contracted_functions(copy)]
    assert "kernel.ranges.within" in names
