"""Functions that only contracts call, and contracts that production leaves out.

Theory. A contract that is switched off in production (`--contract-part NAME`, a decorator) is no
part of what flies, and neither is a predicate that only such contracts ask. Its conditions come out
false only where the code is wrong, so tests of right code cannot show all of them to decide. They
are counted apart and listed, never dropped. A predicate that a contract of production asks
(`--contract`) is code like any other.

Rules of this file:

*   By name, over all measured modules, and on the strict side: whoever speaks a function's name
    outside of such contracts uses it, as a name, as an attribute or in a text; two functions of one
    name are one. What nobody uses is code: nothing says that it belongs to a contract.
*   Only functions at the top of a module; methods are code.

Not here: what is made of it (`report.py`).
"""

import ast
from collections.abc import Iterable, Iterator, Mapping

type Uses = dict[str, set[str]]

CODE, PART = "<code>", "<part>"
IMPORTS = (ast.Import, ast.ImportFrom)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def name_of(decorator: ast.expr) -> str:
    """Return the name by which a decorator is known: `b` of `a.b(…)`."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def spoken(node: ast.AST) -> Iterator[str]:
    """Yield every name that stands in a piece of code."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def uses_in(tree: ast.Module, parts: frozenset[str]) -> Uses:
    """Return who speaks each name: a function, `CODE`, or `PART`, a contract left out."""
    found: Uses = {}

    def note(node: ast.AST, by: str) -> None:
        for name in spoken(node):
            found.setdefault(name, set()).add(by)

    for statement in tree.body:
        if isinstance(statement, IMPORTS):
            continue
        if not isinstance(statement, FUNCTIONS):
            note(statement, CODE)
            continue
        for decorator in statement.decorator_list:
            if isinstance(decorator, ast.Call) and name_of(decorator) in parts:
                note(decorator.func, CODE)
                for argument in (*decorator.args, *decorator.keywords):
                    note(argument, PART)
            else:
                note(decorator, CODE)
        note(statement.args, CODE)
        for inner in statement.body:
            note(inner, statement.name)
    return found


def only_for_contracts(
    sources: Mapping[str, bytes], parts: Iterable[str]
) -> frozenset[tuple[str, str]]:
    """Return (module, function) of all that only contracts of these names ask, or lead to."""
    names = frozenset(parts)
    trees = {module: ast.parse(source) for module, source in sources.items()}
    uses: Uses = {}
    for tree in trees.values():
        for name, by in uses_in(tree, names).items():
            uses.setdefault(name, set()).update(by)
    defined = {
        (module, each.name)
        for module, tree in trees.items()
        for each in tree.body
        if isinstance(each, FUNCTIONS)
    }
    # What contracts lead to, less whatever anything else speaks of; again, until nothing is lost.
    held = {name for _, name in defined}
    while True:
        reached = {name for name in held if PART in uses.get(name, ())}
        while more := {name for name in held - reached if uses.get(name, set()) & reached}:
            reached |= more
        kept = {name for name in reached if uses[name] <= reached | {PART}}
        if kept == held:
            return frozenset((module, name) for module, name in defined if name in kept)
        held = kept
