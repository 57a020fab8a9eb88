"""Proof files say what the shipped kernel says: stripped of contracts, both have equal trees."""

import ast
from pathlib import Path

import pytest

from verify.proof.errors import ProofError
from verify.proof.generate import (
    LEFT_OUT,
    MARKS,
    SPREAD_MODULE,
    STATEMENTS,
    functions_of,
    imports_of,
    probe_module,
    proof_files,
    proof_module,
    sources,
    spread_module,
    stripped,
)
from verify.proof.run import EXCUSED_PART, listed
from verify.proof.waivers import Waiver, hash_of, misfits, waivers

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [path for path in sorted((ROOT / "kernel").rglob("*.py")) if path.name not in LEFT_OUT]


def tree(function: ast.FunctionDef) -> str:
    return ast.dump(stripped(function))


def contracts_of(function: ast.FunctionDef) -> int:
    """Return how many contracts a shipped function has."""
    return sum(isinstance(each, ast.Call) for each in function.decorator_list)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_stripped_of_contracts_both_sides_are_equal(path: Path) -> None:
    text = path.read_text("utf-8")
    shipped = list(functions_of(text))
    proved = list(functions_of(proof_module(path.name, text)))
    assert [each.name for each in shipped] == [each.name for each in proved]
    for one, other in zip(shipped, proved, strict=True):
        assert tree(one) == tree(other), f"{path.name}: {one.name}"
        # Nothing is lost on the way: as many contracts, and pure where it was pure.
        contracts = len(other.body) - len(stripped(other).body)
        assert contracts == contracts_of(one), f"{path.name}: {one.name}"
        marks = [MARKS[each.id] for each in one.decorator_list if isinstance(each, ast.Name)]
        assert [ast.unparse(each) for each in other.decorator_list] == list(filter(None, marks))


def test_every_function_of_the_kernel_is_listed() -> None:
    names = listed(ROOT)
    defined = sum(
        path.read_text("utf-8").count("\ndef ") for path in (ROOT / "kernel").rglob("*.py")
    )
    assert sum(map(len, names.values())) == defined > 200


SAMPLE = """
@pure
@require_part(lambda a: a > 0)
@ensure_part(lambda a, result: result == a)
def f(a: int) -> int:
    \"\"\"Doc.\"\"\"
    return a
"""


def test_a_contract_becomes_a_statement() -> None:
    (made,) = functions_of(proof_module("kernel/sample.py", SAMPLE))
    assert [ast.unparse(each) for each in made.body[1:]] == [
        "Requires(a > 0)",
        "Ensures(Result() == a)",
        "return a",
    ]


def test_a_memory_of_answers_is_nothing_to_a_proof() -> None:
    """The proof of a remembered function is keyed by the same text as without the mark."""
    marked = SAMPLE.replace("@pure", "@remembered\n@pure")
    assert proof_module("kernel/sample.py", marked) == proof_module("kernel/sample.py", SAMPLE)


def test_a_probe_asserts_false_after_each_call() -> None:
    proof = proof_module("kernel/sample.py", SAMPLE)
    text, lines = probe_module(proof, "sample")
    assert lines == {text.count("\n"): "f"}
    assert text.splitlines()[-4:] == [
        "def probe_f(a: int) -> None:",
        "    Requires(a > 0)",
        "    made = f(a)",
        "    assert False",
    ]


def shipped() -> dict[str, str]:
    return sources(ROOT)


def called_in(text: str, names: tuple[str, ...]) -> set[str]:
    """Return the predicates that functions of a module call, those in capitals and ``every``."""
    return {
        one.func.id
        for each in functions_of(text)
        if each.name in names or each.name.startswith("promised_")
        for one in ast.walk(each)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
    }


def test_the_parts_of_the_promise_are_the_shipped_ones() -> None:
    """Each invariant and each step property is in one part; nothing else is."""
    texts = shipped()
    parts, names = spread_module(texts)
    wanted = called_in(texts["invariants"], ("Inv",)) | called_in(
        texts["promises"], ("StepProperties",)
    )
    assert called_in(parts, ()) == wanted
    assert len(wanted) > 30
    assert [each.name for each in functions_of(parts)] == names


def test_a_promise_that_is_no_conjunction_is_asked_whole() -> None:
    texts = shipped()
    line = "return Inv(answer.state) and StepProperties("
    assert line in texts["promises"]
    either = line.replace(" and ", " or ")
    parts, names = spread_module({**texts, "promises": texts["promises"].replace(line, either)})
    assert called_in(parts, ()) == {"answer_keeps_promises"}
    assert names == ["promised_1"]


def test_control_a_property_that_is_taken_away_is_asked_no_more() -> None:
    texts = shipped()
    line = "        and PeakResetOnlyFlat(before, event, after)\n"
    assert line in texts["promises"]
    changed = {**texts, "promises": texts["promises"].replace(line, "")}
    assert "PeakResetOnlyFlat" in spread_module(texts)[0]
    assert "PeakResetOnlyFlat" not in spread_module(changed)[0]


def test_the_promise_is_asked_in_parts_and_then_whole() -> None:
    texts = shipped()
    _, names = spread_module(texts)
    made = proof_files(texts)
    assert set(made) == {*texts, SPREAD_MODULE}
    for module in ("answers", "step"):
        for one, other in zip(functions_of(texts[module]), functions_of(made[module]), strict=True):
            assert tree(one) == tree(other)
            said = [
                ast.unparse(each) for each in other.body if "outcome_keeps" in ast.unparse(each)
            ]
            asked = sum("promised_" in ast.unparse(each) for each in other.body)
            assert asked == len(names) * len(said), f"{module}.{one.name}"
    assert made["gate"] == proof_module("kernel/gate.py", texts["gate"])


def test_imports_are_read() -> None:
    lines = (
        "from kernel.state import State",
        "from typing import Final",
        "from kernel.fixed import ONE",
    )
    text = "\n".join(lines)
    assert imports_of(text) == {"state", "fixed"}


REJECTED = [
    ("def f(a):\n    return reveal(a)\n", "in contracts only"),
    ("@cache\ndef f(a):\n    return a\n", "decorator cache"),
    ("@contracts.require(lambda a: a)\ndef f(a):\n    return a\n", "decorator contracts.require"),
    ("@require(lambda a: a, 'why')\ndef f(a):\n    return a\n", "one lambda"),
    ("@require(lambda a: a, enabled=False)\ndef f(a):\n    return a\n", "one lambda"),
    ("@require(holds)\ndef f(a):\n    return a\n", "expected a lambda"),
    ("@require(lambda result: result)\ndef f(a):\n    return a\n", "parameters"),
    ("@ensure(lambda b: b)\ndef f(a):\n    return a\n", "parameters"),
    ("@ensure(lambda a=1: a)\ndef f(a):\n    return a\n", "parameters"),
    ("@ensure(lambda result: result)\ndef f(result):\n    return result\n", "called result"),
]


@pytest.mark.parametrize(("text", "says"), REJECTED)
def test_control_what_the_prover_would_pass_over_is_refused(text: str, says: str) -> None:
    with pytest.raises(ProofError, match=says):
        proof_module("kernel/sample.py", text)


def test_control_a_changed_body_has_another_tree() -> None:
    (one,) = functions_of(SAMPLE)
    (other,) = functions_of(
        proof_module("kernel/sample.py", SAMPLE.replace("return a", "return -a"))
    )
    assert tree(one) != tree(other)


def test_the_excused_are_few_and_fit() -> None:
    entries = waivers(ROOT)
    assert misfits(ROOT, entries) == []
    assert len(entries) * EXCUSED_PART <= sum(map(len, listed(ROOT).values()))


def test_control_an_excuse_does_not_outlive_its_function() -> None:
    (entry,) = [each for each in waivers(ROOT) if each.function == "kernel.contracts.pure"]
    stale = Waiver(entry.function, "0" * 16, entry.reason, entry.evidence)
    gone = Waiver("kernel.contracts.nothing", entry.hash, entry.reason, entry.evidence)
    silent = Waiver(entry.function, entry.hash, " ", entry.evidence)
    found = misfits(ROOT, [stale, gone, silent])
    assert [("changed" in each, "no such" in each, "reason" in each) for each in found] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_a_hash_is_of_contract_and_body_not_of_the_docstring() -> None:
    (one,) = functions_of(SAMPLE)
    (other,) = functions_of(SAMPLE.replace("Doc.", "Other."))
    (contract,) = functions_of(SAMPLE.replace("a > 0", "a > 1"))
    assert hash_of(one) == hash_of(other) != hash_of(contract)


def test_every_contract_decorator_has_its_statement() -> None:
    from kernel import contracts

    names = {name for name in vars(contracts) if name.startswith(("require", "ensure"))}
    assert names == set(STATEMENTS)
