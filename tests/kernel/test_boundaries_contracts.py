"""The four contracts: which are on where. Production, ``python -O``, and the tests' process.

Each case runs in a process of its own, since icontract reads the environment once.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.contracts import pure

ROOT = Path(__file__).parents[2]
LOOK = """
from kernel.contracts import ensure, ensure_part, require, require_part

# An exception of our own: of a text given with -c icontract cannot quote the condition.
BROKEN = ArithmeticError("broken")

def on(contract, condition):
    function = contract(condition, error=BROKEN)(lambda a: a)
    try:
        function(0)
    except ArithmeticError:
        return 1
    return 0

before, after = (lambda a: a > 0), (lambda result: result > 0)
print(on(require, before), on(ensure, after), on(require_part, before), on(ensure_part, after))
"""


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("optimised", [False, True])
def test_steps_contracts_are_always_on_and_the_parts_where_asked_for(
    optimised: bool, slow: bool
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ICONTRACT_SLOW"}
    environment["PYTHONPATH"] = str(ROOT)
    if slow:
        environment["ICONTRACT_SLOW"] = "true"
    ran = subprocess.run(
        [sys.executable, *(["-O"] if optimised else []), "-c", LOOK],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    parts = "1 1" if slow and not optimised else "0 0"  # icontract.SLOW heeds -O
    assert ran.stdout == f"1 1 {parts}\n", ran.stderr


def test_pure_is_the_identity() -> None:
    def function(a: int) -> int:
        return a

    assert pure(function) is function
