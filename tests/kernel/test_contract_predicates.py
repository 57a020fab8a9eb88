"""What coverage counts apart as contract predicates does not run in production.

`python -m verify.mcdc report --contract-part …` reads from the text that only contracts which
production leaves out ask a predicate. Here the kernel runs as in production, and none of them is
entered.
"""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernel import step as step_module
from kernel.outcome import Outcome
from verify.mcdc.reach import only_for_contracts

LEFT_OUT = ("require_part", "ensure_part", "require_proof", "ensure_proof")
LEAN = "from tests.lean_contracts import install; install()\n"
WALK = """
import json, sys
from pathlib import Path
entered = set()
ROOT = Path.cwd().parts
tool = sys.monitoring.PROFILER_ID
sys.monitoring.use_tool_id(tool, "entered")
def start(code, offset):
    parts = Path(code.co_filename).with_suffix("").parts
    if parts[: len(ROOT) + 1] == (*ROOT, "kernel"):
        entered.add(".".join([*parts[len(ROOT) :], code.co_qualname]))
    return sys.monitoring.DISABLE
sys.monitoring.register_callback(tool, sys.monitoring.events.PY_START, start)
sys.monitoring.set_events(tool, sys.monitoring.events.PY_START)
from kernel.constants import Posture, Profile
from kernel.contracts import PARTS_CHECKED
from tests.kernel.sessions import until
from tests.kernel.test_rules import session
from tests.traces.samples import walk
for profile in Profile:
    for _ in walk(3, 3_000, until(Posture.APEX, profile=profile)):
        pass
session()
print(json.dumps({"parts": PARTS_CHECKED, "entered": sorted(entered)}))
"""

# What ``step`` calls to answer an event: each must have been entered, or the walk shows nothing.
HANDLERS = {
    f"{each.__module__}.{name}"
    for name, each in vars(step_module).items()
    if inspect.isfunction(each)
    and "return" in each.__annotations__
    and each.__annotations__["return"] is Outcome
}


def walked(root: Path, parts: bool) -> tuple[bool, set[str]]:
    """Whether the parts' contracts were on, and every function of the kernel that was entered."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    environment.pop("ICONTRACT_SLOW", None)
    if parts:
        environment["ICONTRACT_SLOW"] = "true"
    done = subprocess.run(
        [sys.executable, "-c", LEAN + WALK if parts else WALK],
        cwd=root, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    document = json.loads(done.stdout)
    return document["parts"], set(document["entered"])


def counted_apart(root: Path) -> set[str]:
    """What the instrument counts apart in the kernel."""
    sources = {
        ".".join(path.relative_to(root).with_suffix("").parts): path.read_bytes()
        for path in (root / "kernel").rglob("*.py")
    }
    found = only_for_contracts(sources, LEFT_OUT)
    return {f"{module}.{function}" for module, function in found}


@pytest.mark.req("KRN-STEP-007", "KRN-STEP-010")
@pytest.mark.random
def test_production_enters_no_contract_predicate(project_root: Path) -> None:
    parts, entered = walked(project_root, parts=False)
    assert not parts
    assert HANDLERS - entered == set(), "the walk is too short"
    assert counted_apart(project_root) & entered == set()


# The prover's alone: lemmas, and the two invariants that follow from the others. Tests ask the two
# directly (test_step.py), and what lemmas say is said of nothing that runs.
PROVED_ONLY = {
    "kernel.invariants.TwoImpairedSensorsHalve",
    "kernel.invariants.SilentBookIsBad",
    "kernel.contracts.reveal",
}


@pytest.mark.random
def test_control_the_tests_enter_them(project_root: Path) -> None:
    """With the parts' contracts on, what is counted apart is entered: it is no dead code."""
    parts, entered = walked(project_root, parts=True)
    assert parts
    left = counted_apart(project_root) - entered - PROVED_ONLY
    assert {name for name in left if not name.startswith("kernel.contract.lemmas")} == set()
