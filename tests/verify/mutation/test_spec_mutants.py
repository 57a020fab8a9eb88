"""The generator of mutants: what is changed, what is left alone, and that columns stay."""

from pathlib import Path

import pytest

from verify.models.manifest import load_manifest
from verify.models.tla import Module, read_module, tokens_of
from verify.mutation.spec_mutants import (
    MUTATED,
    Mutant,
    Scope,
    actions_of,
    definition_sha256,
    mutants_of,
    mutants_of_definition,
    scope_of,
)

SPEC = Path(__file__).resolve().parents[3] / "spec" / "tla"


@pytest.fixture(scope="module")
def scope() -> Scope:
    return scope_of(SPEC, load_manifest(SPEC))


@pytest.fixture(scope="module")
def every(scope: Scope) -> list[Mutant]:
    return mutants_of(scope)


def made(body: str, name: str = "A") -> tuple[Module, list[Mutant]]:
    module = read_module("M", f"---- MODULE M ----\n{body}\n====\n")
    return module, list(
        mutants_of_definition(module, module.definitions[name], actions_of([module]))
    )


def texts(body: str, name: str = "A") -> set[tuple[str, str]]:
    """The definition under every mutant, blanks folded."""
    module, mutants = made(body, name)
    definition = module.definitions[name]
    found = set()
    for mutant in mutants:
        text = mutant.text(module.text)
        found.add((mutant.operator, " ".join(text[definition.start : -6].split())))
    return found


def test_the_operators_of_a_formula() -> None:
    assert texts("A == x < 3 /\\ y \\in S") == {
        ("drop-conjunct", "A == y \\in S"),
        ("drop-conjunct", "A == x < 3"),
        ("connective", "A == x < 3 \\/ y \\in S"),
        ("compare", "A == x <= 3 /\\ y \\in S"),
        ("compare", "A == x < 3 /\\ y \\notin S"),
        ("plus-one", "A == x < 4 /\\ y \\in S"),
        ("minus-one", "A == x < 2 /\\ y \\in S"),
    }


def test_the_operators_of_a_verdict_and_of_an_action() -> None:
    assert texts('A == IF x < y THEN "NO" ELSE "ok"') == {
        ("drop-guard", 'A == ("ok")'),
        ("swap-branches", 'A == IF ~( x < y) THEN "NO" ELSE "ok"'),
        ("compare", 'A == IF x <= y THEN "NO" ELSE "ok"'),
    }
    assert texts("A ==\n    /\\ x' = y\n    /\\ UNCHANGED <<a, b>>") == {
        ("drop-conjunct", "A == /\\ UNCHANGED <<a, b>>"),
        ("drop-conjunct", "A == /\\ x' = y"),
        ("drop-unchanged", "A == /\\ x' = y /\\ UNCHANGED << b>>"),
        ("drop-unchanged", "A == /\\ x' = y /\\ UNCHANGED <<a >>"),
    }
    assert ("negate", "A == ~( p(y)) /\\ x' = 1") in texts("A == p(y) /\\ x' = 1")
    assert texts("A == IF x > y THEN p ELSE q") == {
        ("swap-branches", "A == IF ~( x > y) THEN p ELSE q"),
        ("drop-guard", "A == (q)"),
        ("always", "A == (p)"),
        ("compare", "A == IF x >= y THEN p ELSE q"),
    }


def test_an_edit_keeps_the_column_of_every_token_that_stays(
    scope: Scope, every: list[Mutant]
) -> None:
    for mutant in every[::7]:
        module = scope.modules[mutant.module]
        text = mutant.text(module.text)
        before = [token for token in tokens_of(module.text) if token.start >= mutant.end]
        after = tokens_of(text)[-len(before) :]
        assert [(t.text, t.column) for t in before] == [(t.text, t.column) for t in after], mutant


def test_every_mutant_reads_as_a_module_and_differs(scope: Scope, every: list[Mutant]) -> None:
    for mutant in every[::7]:
        module = scope.modules[mutant.module]
        text = mutant.text(module.text)
        assert read_module(mutant.module, text).definitions.keys() == module.definitions.keys()
        assert [t.text for t in tokens_of(text)] != [t.text for t in tokens_of(module.text)]


def test_ids_are_unique_and_the_same_every_time(scope: Scope, every: list[Mutant]) -> None:
    ids = [mutant.id for mutant in every]
    assert len(set(ids)) == len(ids) > 1_000
    assert ids == [mutant.id for mutant in mutants_of(scope)]
    assert {mutant.module for mutant in every} == set(MUTATED)


def test_an_id_survives_an_edit_elsewhere() -> None:
    _, first = made("A == x < y")
    _, moved = made("\\* a line more\nB == 1\n\nA == x < y")
    assert [mutant.id for mutant in first] == [mutant.id for mutant in moved]
    assert [mutant.line for mutant in first] != [mutant.line for mutant in moved]


def test_statements_are_not_mutated_and_behaviour_is(scope: Scope, every: list[Mutant]) -> None:
    changed = {(mutant.module, mutant.definition) for mutant in every}
    assert ("Gate", "RequestOrderVerdict") in changed
    assert ("Survival", "Moved") in changed
    for module, name in (
        ("KillSwitch", "KilledIffCause"), ("KillSwitch", "Confirmable"), ("Gate", "TypeOK"),
        ("Gate", "Issues"), ("Survival", "WasBar"), ("Posture", "ChangesAreCounted"),
    ):  # fmt: skip
        assert (module, name) in scope.statements
        assert (module, name) not in changed
    assert not {module for module, _ in changed} & {"MCKernel", "TraceKernel", "MCGate"}


def test_the_hash_of_a_definition_is_of_its_text_alone(scope: Scope) -> None:
    module, _ = made("A == x < y \\* why\nB == 1")
    other, _ = made("B == 2\nA ==\n    x < y")
    changed, _ = made("A == x <= y")
    assert definition_sha256(module, "A") == definition_sha256(other, "A")
    assert definition_sha256(module, "A") != definition_sha256(changed, "A")
