"""A decision, the vectors it was seen with, and the pairs that show a condition to decide.

Theory. A decision is a tree of `and`, `or`, `not` over conditions. One evaluation gives a vector:
each condition true, false, or not evaluated, because an earlier one had settled the outcome. Two
vectors are an *independence pair* for condition c if their outcomes differ and c is the only
condition that was evaluated in both and differs (LLVM's rule, arXiv 2501.02133). What was not
evaluated is don't-care: it is masked by the short circuit, which CAST-6 accepts. The rule is exact:
such a pair exists if and only if the vectors extend to two full assignments that differ in c alone
and in the outcome (`tests/verify/mcdc/test_decisions.py` compares the two by enumeration).

Rules of this file:

*   A vector is one integer, condition i the ternary digit at 3**i: 0 not evaluated, 1 false,
    2 true. So a set of small integers is all that a run has to keep.
*   An outcome may be unknown: Python does not ask for the truth of the last operand of a value
    `a or b`, and asking could run foreign code. Such a vector is nobody's partner.

Not here: how vectors are recorded (`instrument.py`), what a report makes of them (`report.py`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# A condition's index, or an operator ("and", "or", "not") and its operands.
type Tree = int | tuple[str, tuple["Tree", ...]]

PATHS_MAX = 4096


@dataclass(frozen=True)
class Decision:
    """One Boolean expression. Vector v is recorded as the integer `code` + v."""

    code: int
    line: int
    scope: str
    kind: str
    text: str
    conditions: tuple[str, ...]
    tree: Tree
    digest: str
    contract: bool

    @property
    def span(self) -> int:
        """Return how many codes the decision takes."""
        return int(3 ** len(self.conditions))


def digits(vector: int, count: int) -> tuple[int, ...]:
    """Return a vector's conditions: 0 not evaluated, 1 false, 2 true."""
    return tuple(vector // 3**i % 3 for i in range(count))


def outcome(tree: Tree, seen: tuple[int, ...]) -> bool | None:
    """Return what the decision came to, or None where that was not asked."""
    if isinstance(tree, int):
        return None if seen[tree] == 0 else seen[tree] == 2
    operator, operands = tree
    value: bool | None = None
    for operand in operands:
        value = outcome(operand, seen)
        if operator == "not":
            return None if value is None else not value
        if value is None or value == (operator == "or"):
            return value
    return value


def paths(tree: Tree) -> tuple[list[int], list[int]]:
    """Return the vectors that make the tree true and those that make it false.

    Raises OverflowError where there are more than `PATHS_MAX`.
    """
    if isinstance(tree, int):
        return [2 * 3**tree], [3**tree]
    operator, operands = tree
    if operator == "not":
        true, false = paths(operands[0])
        return false, true
    # For `and`: `through` are the vectors with every operand true so far, `left` those that ended.
    through, left = [0], []
    for operand in operands:
        true, false = paths(operand)
        onward, ended = (true, false) if operator == "and" else (false, true)
        left += [a + b for a in through for b in ended]
        through = [a + b for a in through for b in onward]
        if len(left) + len(through) > PATHS_MAX:
            raise OverflowError("more paths than can be listed")
    return (through, left) if operator == "and" else (left, through)


def deciding(a: tuple[int, ...], b: tuple[int, ...]) -> int | None:
    """Return the one condition evaluated in both vectors that differs, if it is one."""
    found = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x and y and x != y]
    return found[0] if len(found) == 1 else None


def pairs(decision: Decision, vectors: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return the first pair of each condition shown to decide: outcome true, outcome false."""
    count = len(decision.conditions)
    true: list[tuple[int, tuple[int, ...]]] = []
    false: list[tuple[int, tuple[int, ...]]] = []
    for vector in sorted(vectors):
        seen = digits(vector, count)
        value = outcome(decision.tree, seen)
        if value is not None:
            (true if value else false).append((vector, seen))
    found: dict[int, tuple[int, int]] = {}
    for a, seen_a in true:
        for b, seen_b in false:
            condition = deciding(seen_a, seen_b)
            if condition is not None and condition not in found:
                found[condition] = (a, b)
    return found


def candidates(tree: Tree, count: int, condition: int) -> Iterator[tuple[int, int]]:
    """Yield every pair of vectors that would show `condition` to decide."""
    true, false = ([(v, digits(v, count)) for v in side] for side in paths(tree))
    for a, seen_a in true:
        for b, seen_b in false:
            if seen_a[condition] and seen_b[condition] and deciding(seen_a, seen_b) == condition:
                yield a, b


def words(decision: Decision, vector: int, but: int = -1) -> str:
    """Return a vector in words, `a=T, b=F`, without condition `but`."""
    shown = enumerate(
        zip(decision.conditions, digits(vector, len(decision.conditions)), strict=True)
    )
    return ", ".join(f"{name}={'-FT'[d]}" for i, (name, d) in shown if d and i != but)


def missing(decision: Decision, vectors: set[int], condition: int) -> str:
    """Say in words what would show `condition` to decide: the pair nearest to what was seen."""
    count = len(decision.conditions)
    head = f"condition {condition + 1} of {count} `{decision.conditions[condition]}`"
    if not vectors:
        return f"{head} never evaluated: the decision was not reached"
    seen = {digits(v, count)[condition] for v in vectors} - {0}
    if count == 1:
        return f"{head} " + (
            f"always {'true' if 2 in seen else 'false'}" if seen else "never a Boolean"
        )
    try:
        options = list(candidates(decision.tree, count, condition))
    except OverflowError:
        options = []
    if not options:
        return f"{head} never shown to decide"
    a, b = max(options, key=lambda pair: len(set(pair) & vectors))
    held = {}
    for side in (a, b):
        for i, digit in enumerate(digits(side, count)):
            if digit and i != condition:
                held[i] = digit
    need = ", ".join(f"{decision.conditions[i]}={'-FT'[held[i]]}" for i in sorted(held))
    if len(held) > 2 and len(set(held.values())) == 1:
        need = f"the others {'false' if 1 in held.values() else 'true'}"
    half = {digits(v, count)[condition] for v in (a, b) if v in vectors}
    if half:
        had, lacks = ("T", "F") if 2 in half else ("F", "T")
        return f"{head} never shown to decide: has it {had}, lacks it {lacks} with {need}"
    return f"{head} never shown to decide: needs {need} with it both ways"
