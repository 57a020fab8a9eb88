"""The contract decorators: which are on where, what production skips, and what the marks are.

What is on is seen in processes of their own, since icontract reads the environment once. The two
classes that wrap ``step`` in production are looked at here, on a step of our own, and in a process
that runs as production does.

Not here: what the conditions say (``test_step.py``, ``test_contracts_are_exact.py``).
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import icontract
import pytest

from kernel import contracts
from kernel.contracts import Ensured, Required, ensure_proof, require_proof

ROOT = Path(__file__).parents[2]
LOOK = """
from kernel.contracts import ensure, ensure_part, require, require_part

# An exception of our own: of a text given with -c icontract cannot quote the condition.
BROKEN = ArithmeticError("broken")

def on(contract, condition):
    function = contract(condition, error=BROKEN)(lambda state, event: state)
    try:
        function(0, 0)
    except ArithmeticError:
        return 1
    return 0

before, after = (lambda state: state > 0), (lambda state, event, result: result > 0)
print(on(require, before), on(ensure, after), on(require_part, before), on(ensure_part, after))
"""


def as_in_production(*arguments: str, slow: bool = False) -> str:
    """What a process prints in which the parts' contracts are off, or where asked for on."""
    environment = {name: value for name, value in os.environ.items() if name != "ICONTRACT_SLOW"}
    # What is there already is the instrument's, where coverage is measured in children too.
    environment["PYTHONPATH"] = os.pathsep.join([environment.get("PYTHONPATH", ""), str(ROOT)])
    if slow:
        environment["ICONTRACT_SLOW"] = "true"
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.req("KRN-STEP-007", "KRN-STEP-014")
@pytest.mark.children
@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("optimised", [False, True])
def test_steps_contracts_are_always_on_and_the_parts_where_asked_for(
    optimised: bool, slow: bool
) -> None:
    parts = "1 1" if slow and not optimised else "0 0"  # icontract.SLOW heeds -O
    said = as_in_production(*(["-O"] if optimised else []), "-c", LOOK, slow=slow)
    assert said == f"1 1 {parts}\n"


@pytest.mark.req("KRN-STEP-014")
def test_a_contract_for_the_prover_is_not_evaluated() -> None:
    @require_proof(lambda value: value > 0)
    @ensure_proof(lambda result: result > 0)
    def passed_on(value: int) -> int:
        return value

    assert passed_on(-1) == -1


# --- one verdict, however the contracts run ------------------------------------------------------


@cache
def verdicts(mode: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(as_in_production("-m", "tests.kernel.verdicts", mode))
    return document


@pytest.mark.req("KRN-STEP-007", "KRN-STEP-008")
@pytest.mark.parametrize("mode", ["production", "icontract", "lean"])
def test_step_judges_as_its_predicates_asked_by_hand(mode: str) -> None:
    found = verdicts(mode)
    assert found["parts"] == (mode != "production")
    assert found["violated"] > 400, "the walk moves too little"
    assert found["verdicts"] == found["by_hand"]


@pytest.mark.parametrize("mode", ["production", "lean"])
def test_the_answers_are_the_same_however_contracts_run(mode: str) -> None:
    assert verdicts(mode)["answers"] == verdicts("icontract")["answers"]


def test_the_tests_own_wrapper_says_what_icontract_says() -> None:
    assert verdicts("lean") == verdicts("icontract")


# --- what production skips -----------------------------------------------------------------------


@dataclass
class Number:
    """A state of our own: it holds where it is not negative."""

    value: int


@dataclass(frozen=True)
class Moved:
    """An answer with a state after it; a refusal is a text here."""

    state: Number


ASKED: list[Number] = []  # whose precondition was asked


def holds(state: Number) -> bool:
    ASKED.append(state)
    return state.value >= 0


def kept(result: Moved | str) -> bool:
    return isinstance(result, str) or result.state.value >= 0


def decorated() -> Callable[[Number, int], Moved | str]:
    """A step of our own, wrapped as production wraps ``step``: it adds, and refuses nought."""

    @Required(lambda state: holds(state), enabled=True)
    @Ensured(lambda state, event, result: kept(result), enabled=True)
    def add(state: Number, event: int) -> Moved | str:
        return Moved(Number(state.value + event)) if event else "refused"

    return add


class Walk:
    """The step and whose precondition it asked."""

    def __init__(self) -> None:
        contracts._held.state = None  # nothing else here uses it: the parts' contracts are on
        ASKED.clear()
        self.step, self.asked = decorated(), ASKED

    def moved(self, state: Number, event: int) -> Number:
        """The state after a step that is accepted."""
        answer = self.step(state, event)
        assert isinstance(answer, Moved)
        return answer.state


@pytest.mark.req("KRN-STEP-007", "KRN-STEP-008")
def test_the_state_that_a_postcondition_held_of_is_not_asked_again() -> None:
    walk, first = Walk(), Number(3)
    assert walk.moved(walk.moved(first, 4), 5) == Number(12)
    assert walk.asked == [first]


@pytest.mark.req("KRN-STEP-007", "KRN-STEP-008")
def test_after_a_refusal_the_state_before_is_not_asked_again() -> None:
    walk, first = Walk(), Number(3)
    for _ in range(3):
        assert walk.step(first, 0) == "refused"
    assert walk.asked == [first]


@pytest.mark.req("KRN-STEP-008")
def test_an_equal_state_that_is_another_object_is_asked() -> None:
    walk = Walk()
    after = walk.moved(Number(3), 4)
    walk.step(Number(after.value), 1)
    walk.step(after, 1)
    assert [state.value for state in walk.asked] == [3, 7, 7]


@pytest.mark.req("KRN-STEP-008")
def test_a_state_that_does_not_hold_is_refused_each_time_it_comes() -> None:
    walk, broken = Walk(), Number(-1)
    for event in (5, 0, 5):
        with pytest.raises(icontract.ViolationError, match=r"test_contracts\.py.*\n?.*holds"):
            walk.step(broken, event)


@pytest.mark.req("KRN-STEP-007")
def test_an_answer_that_breaks_the_promise_raises_and_is_not_held() -> None:
    walk = Walk()
    good = walk.moved(Number(3), 4)
    with pytest.raises(icontract.ViolationError, match=r"kept\(result\)"):
        walk.step(good, -9)
    assert contracts._held.state is good


def test_what_is_no_longer_seen_a_state_altered_in_place() -> None:
    """As docs/adr/0084 says: its precondition is not asked, and what comes of it is."""
    walk = Walk()
    held = walk.moved(Number(3), 4)
    held.value = -100
    assert walk.moved(held, 100) == Number(0)
    held = walk.moved(Number(3), 4)
    held.value = -100
    with pytest.raises(icontract.ViolationError):
        walk.step(held, 1)


@pytest.mark.parametrize("wrapper", [Required, Ensured])
def test_a_contract_raises_the_error_that_it_was_given(wrapper: Callable[..., Any]) -> None:
    def guarded_one(state: int, event: int) -> int:
        return event

    never: Callable[..., bool]
    if wrapper is Required:
        never = lambda state: False  # noqa: E731  (icontract reads the parameters' names)
    else:
        never = lambda state, event, result: False  # noqa: E731  (the same)
    guarded = wrapper(never, enabled=True, error=ArithmeticError("ours"))(guarded_one)
    assert guarded.__name__ == "guarded_one"
    with pytest.raises(ArithmeticError, match="ours"):
        guarded(1, 2)


def test_step_alone_has_the_contract_that_skips() -> None:
    """One memory for one predicate: of another function, the state held would say nothing."""
    users = {
        f"{path.stem}.{node.name}"
        for path in (ROOT / "kernel").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        for one in node.decorator_list
        if isinstance(one, ast.Call) and ast.unparse(one.func) in ("require", "ensure")
    }
    assert users == {"step.step"}


# --- the marks -----------------------------------------------------------------------------------


def sample(value: int) -> int:
    return value


@pytest.mark.req("KRN-STEP-014")
def test_a_mark_is_the_function_itself() -> None:
    assert contracts.pure(sample) is sample
    assert contracts.opaque(sample) is sample
    assert contracts.reveal(sample) is sample
    assert contracts.remembered(sample) is sample, "the parts' contracts are on here"


REMEMBERED = """
from kernel import curves
kept = [each for each in vars(curves).values() if hasattr(each, "cache_info")]
for age in (*range(0, 90_000, 331), *range(0, 90_000, 331)):
    for each in kept:
        assert each(age) == each.__wrapped__(age), (each.__name__, age)
curves.capital(7)
curves.capital(7)
assert curves.capital.cache_info().hits == 1
assert curves.capital.cache_info().maxsize == curves.capital.cache_info().currsize == 16
print(*sorted(each.__name__ for each in kept))
"""


@pytest.mark.req("KRN-SURV-021")
@pytest.mark.children
def test_production_remembers_the_curves_that_take_an_exponential() -> None:
    assert as_in_production("-c", REMEMBERED).split() == [
        "capital", "environment_bible", "jitter_specification", "latency_specification",
        "structural_decay_bible", "structural_decay_specification",
    ]  # fmt: skip
