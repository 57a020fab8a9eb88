"""The pair rule against brute force, and the words for what is missing.

Rules of this file:

*   The oracle knows nothing of vectors. It enumerates all full assignments of a decision, runs the
    short circuit of each, and asks: do two of them differ in one condition and in the outcome?
    Their projections are an independence pair. `pairs` must find a pair where and only where the
    oracle has one, on every set of executed vectors.
*   A second oracle is CAST-6's masking: every pair found must be one of its pairs too.
*   Controls: a rule that ignores don't-cares and one that ignores the outcome disagree with it.

Not here: how vectors are recorded (`test_same_results.py`, `test_gaps.py`).
"""

from collections.abc import Callable
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.mcdc.decisions import Decision, Tree, digits, missing, outcome, pairs, paths


def number(tree: Tree, counter: list[int]) -> Tree:
    """Number the leaves from left to right."""
    if isinstance(tree, int):
        counter[0] += 1
        return counter[0] - 1
    return tree[0], tuple(number(each, counter) for each in tree[1])


def grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    joint = st.tuples(
        st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)
    )
    return joint | inner.map(lambda each: ("not", (each,)))


def decision(shape: Tree) -> Decision:
    counter = [0]
    tree = number(shape, counter)
    names = tuple(chr(97 + i) for i in range(counter[0]))
    return Decision(0, 1, "f", "if", "", names, tree, "", False)


TREES = (
    st.recursive(st.just(0), grow, max_leaves=6)
    .map(decision)
    .filter(lambda each: len(each.conditions) <= 7)
)


def truth(tree: Tree, values: tuple[bool, ...], seen: dict[int, bool]) -> bool:
    """Evaluate as Python does, noting the conditions that are evaluated."""
    if isinstance(tree, int):
        seen[tree] = values[tree]
        return values[tree]
    operator, operands = tree
    if operator == "not":
        return not truth(operands[0], values, seen)
    test = all if operator == "and" else any
    return test(truth(each, values, seen) for each in operands)


def project(each: Decision, values: tuple[bool, ...]) -> tuple[int, bool]:
    """Return the vector and the outcome of a full assignment."""
    seen: dict[int, bool] = {}
    value = truth(each.tree, values, seen)
    return sum(3**i * (2 if v else 1) for i, v in seen.items()), value


def oracle(each: Decision, executed: set[int]) -> set[int]:
    """Return the conditions that the executed vectors show to decide, by enumeration."""
    count = len(each.conditions)
    shown = set()
    for values in product((False, True), repeat=count):
        for i in range(count):
            flipped = (*values[:i], not values[i], *values[i + 1 :])
            (a, x), (b, y) = project(each, values), project(each, flipped)
            if x != y and {a, b} <= executed:
                shown.add(i)
    return shown


def all_vectors(each: Decision) -> list[int]:
    count = len(each.conditions)
    return sorted({project(each, v)[0] for v in product((False, True), repeat=count)})


@given(TREES, st.data())
def test_the_rule_is_enumeration(each: Decision, data: st.DataObject) -> None:
    executed = data.draw(st.sets(st.sampled_from(all_vectors(each))))
    assert set(pairs(each, executed)) == oracle(each, executed)


@given(TREES)
def test_paths_are_all_the_vectors(each: Decision) -> None:
    true, false = paths(each.tree)
    assert sorted(true + false) == all_vectors(each)
    assert len(set(true + false)) == len(true) + len(false)
    for values in product((False, True), repeat=len(each.conditions)):
        vector, value = project(each, values)
        assert outcome(each.tree, digits(vector, len(values))) is value


@given(TREES)
def test_every_pair_found_is_a_masking_pair(each: Decision) -> None:
    """CAST-6: in both assignments the condition matters, it differs, and so does the outcome."""
    count = len(each.conditions)
    by_vector: dict[int, list[tuple[bool, ...]]] = {}
    for values in product((False, True), repeat=count):
        by_vector.setdefault(project(each, values)[0], []).append(values)

    def matters(values: tuple[bool, ...], i: int) -> bool:
        flipped = (*values[:i], not values[i], *values[i + 1 :])
        return project(each, values)[1] != project(each, flipped)[1]

    for i, (a, b) in pairs(each, all_vectors(each)).items():
        assert outcome(each.tree, digits(a, count)) != outcome(each.tree, digits(b, count))
        assert any(
            matters(x, i) and matters(y, i) and x[i] != y[i]
            for x in by_vector[a]
            for y in by_vector[b]
        )


@given(TREES)
def test_with_every_vector_every_condition_decides(each: Decision) -> None:
    assert set(pairs(each, all_vectors(each))) == set(range(len(each.conditions)))


AND_OR = decision(("or", (("and", (0, 0)), 0)))  # (a and b) or c


def unique_cause(each: Decision, executed: set[int]) -> set[int]:
    """The wrong rule that wants not-evaluated conditions equal as well."""
    return rule(each, executed, lambda x, y: [i for i in range(len(x)) if x[i] != y[i]], True)


def no_outcome(each: Decision, executed: set[int]) -> set[int]:
    """The wrong rule that forgets the outcome."""

    def differ(x: tuple[int, ...], y: tuple[int, ...]) -> list[int]:
        return [i for i in range(len(x)) if x[i] and y[i] and x[i] != y[i]]

    return rule(each, executed, differ, False)


def rule(
    each: Decision,
    executed: set[int],
    differ: Callable[[tuple[int, ...], tuple[int, ...]], list[int]],
    outcomes: bool,
) -> set[int]:
    found = set()
    count = len(each.conditions)
    for a, b in combinations(executed, 2):
        x, y = digits(a, count), digits(b, count)
        if not outcomes or outcome(each.tree, x) != outcome(each.tree, y):
            found |= set(differ(x, y)) if len(differ(x, y)) == 1 else set()
    return found


@pytest.mark.parametrize("wrong", [unique_cause, no_outcome])
def test_a_wrong_rule_is_seen(wrong: Callable[[Decision, set[int]], set[int]]) -> None:
    every = all_vectors(AND_OR)
    sets = [set(some) for size in range(len(every) + 1) for some in combinations(every, size)]
    assert any(wrong(AND_OR, some) != oracle(AND_OR, some) for some in sets)
    assert all(set(pairs(AND_OR, some)) == oracle(AND_OR, some) for some in sets)


def vector(text: str) -> int:
    return sum(3**i * "-FT".index(c) for i, c in enumerate(text))


def test_an_unknown_outcome_is_nobodys_partner() -> None:
    either = decision(("or", (0, 0)))
    assert outcome(either.tree, digits(vector("F-"), 2)) is None
    assert pairs(either, {vector("F-"), vector("T-")}) == {}


@pytest.mark.parametrize(
    ("shape", "executed", "condition", "says"),
    [
        (("and", (0, 0, 0)), ["TTT", "F--"], 1, "condition 2 of 3 `b` never shown to decide: "
         "has it T, lacks it F with a=T, c=T"),
        (("or", (("and", (0, 0)), 0)), ["F-T"], 1, "condition 2 of 3 `b` never shown to decide: "
         "needs a=T, c=F with it both ways"),
        (("or", (0, 0)), [], 0, "never evaluated: the decision was not reached"),
        (0, ["T"], 0, "condition 1 of 1 `a` always true"),
        (0, ["F"], 0, "condition 1 of 1 `a` always false"),
        (0, ["-"], 0, "condition 1 of 1 `a` never a Boolean"),
        (("and", (0, 0, 0, 0)), ["TTTT"], 2, "has it T, lacks it F with the others true"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(
    shape: Tree, executed: list[str], condition: int, says: str
) -> None:
    each = decision(shape)
    assert says in missing(each, {vector(text) for text in executed}, condition)


def test_too_many_paths_are_not_listed() -> None:
    wide = decision(("and", tuple(("or", (0, 0)) for _ in range(16))))
    with pytest.raises(OverflowError):
        paths(wide.tree)
