"""The contract conditions of ``kernel/``, as its syntax trees list them.

Rules of this file:

*   Nothing is listed by hand: a decorator of ``kernel/contracts.py`` on a function is a condition.
    A new contract is found the next time it is looked for.
*   A condition is known by its function and by how far below the function's first decorator its
    lambda stands: that is part of what is hashed, a line of the file is not. It is named for
    people: function, kind, number, text.
*   What a function's outcome depends on is itself and every name of the kernel that it reaches, its
    decorators and annotations included. The hash is over those texts, comments and all, so an edit
    elsewhere leaves it alone.

Not here: running them (``worker.py``), what the results mean (``report.py``).
"""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from verify.walk import reachable

DECORATORS = {
    "require": "require",
    "require_part": "require",
    "ensure": "ensure",
    "ensure_part": "ensure",
}


@dataclass(frozen=True)
class Condition:
    """One decorator. ``line`` is that of its lambda, ``offset`` the same from the first decorator;
    ``number`` counts within function and kind.
    """

    module: str
    function: str
    kind: str
    number: int
    text: str
    line: int
    offset: int

    @property
    def name(self) -> str:
        """Return the name for people."""
        return f"{self.module}.{self.function} {self.kind} {self.number}: {self.text}"


@dataclass(frozen=True)
class Contracted:
    """A function that has conditions, and what its outcome depends on.

    ``calls`` are the qualified names of the kernel's functions that its body and contract call.
    """

    module: str
    function: str
    conditions: tuple[Condition, ...]
    parameters: tuple[str, ...]
    calls: frozenset[str]
    sha256: str

    @property
    def name(self) -> str:
        """Return the qualified name."""
        return f"{self.module}.{self.function}"


@dataclass(frozen=True)
class _Module:
    """A module's top level: the text of each name, its tree, and what it imports from where."""

    name: str
    texts: dict[str, str]
    trees: dict[str, ast.stmt]
    imports: dict[str, tuple[str, str]]


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [node.id for node in statement.targets if isinstance(node, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def _text(lines: list[str], statement: ast.stmt) -> str:
    first = statement.lineno
    for decorator in getattr(statement, "decorator_list", ()):
        first = min(first, decorator.lineno)
    return "".join(lines[first - 1 : statement.end_lineno])


def read_modules(package: Path) -> dict[str, _Module]:
    """Return the modules of a package by qualified name."""
    found: dict[str, _Module] = {}
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        module = _Module(name, {}, {}, {})
        for statement in ast.parse(text, str(path)).body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                for alias in statement.names:
                    module.imports[alias.asname or alias.name] = (statement.module, alias.name)
            for bound in _bound(statement):
                module.texts[bound] = _text(lines, statement)
                module.trees[bound] = statement
        found[name] = module
    return found


def _resolve(modules: dict[str, _Module], module: str, name: str) -> tuple[str, str] | None:
    """Return where a name of a module is defined, None outside the package."""
    while module in modules:
        here = modules[module]
        if name in here.texts:
            return module, name
        if name not in here.imports:
            return None
        module, name = here.imports[name]
    return None


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id


def _closure(modules: dict[str, _Module], module: str, name: str) -> str:
    def used(one: tuple[str, str]) -> Iterator[tuple[str, str]]:
        where, what = one
        for each in _names(modules[where].trees[what]):
            target = _resolve(modules, where, each)
            if target is not None:
                yield target

    digest = hashlib.sha256()
    for where, what in sorted(reachable((module, name), used)):
        digest.update(f"{where}.{what}\0{modules[where].texts[what]}\0".encode())
    return digest.hexdigest()


def _conditions(module: str, function: ast.FunctionDef) -> Iterator[Condition]:
    counted = {"require": 0, "ensure": 0}
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Name):
            continue
        kind = DECORATORS.get(decorator.func.id)
        if kind is None:
            continue
        counted[kind] += 1
        written = decorator.args[0]
        body = written.body if isinstance(written, ast.Lambda) else written
        text = " ".join(ast.unparse(body).split())
        offset = written.lineno - function.decorator_list[0].lineno
        yield Condition(module, function.name, kind, counted[kind], text, written.lineno, offset)


def _called(modules: dict[str, _Module], module: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            target = _resolve(modules, module, node.func.id)
            if target is not None:
                yield ".".join(target)


def callers_of(package: Path) -> dict[str, frozenset[str]]:
    """Return for each function of the package the functions whose body or contract calls it."""
    modules = read_modules(package)
    found: dict[str, set[str]] = {}
    for module in modules.values():
        for name, tree in module.trees.items():
            if isinstance(tree, ast.FunctionDef):
                for called in _called(modules, module.name, tree):
                    found.setdefault(called, set()).add(f"{module.name}.{name}")
    return {name: frozenset(callers) for name, callers in found.items()}


def contracted_functions(package: Path) -> list[Contracted]:
    """Return every function of the package that has a contract, by module and line."""
    modules = read_modules(package)
    found = []
    for module in modules.values():
        for name, tree in module.trees.items():
            if not isinstance(tree, ast.FunctionDef):
                continue
            conditions = tuple(_conditions(module.name, tree))
            if not conditions:
                continue
            annotations = (argument.annotation for argument in tree.args.args)
            found.append(
                Contracted(
                    module.name,
                    name,
                    conditions,
                    tuple(ast.unparse(one) if one else "" for one in annotations),
                    frozenset(_called(modules, module.name, tree)),
                    _closure(modules, module.name, name),
                )
            )
    return found
