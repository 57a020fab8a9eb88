"""Dependencies within the Python code, read from its syntax trees.

Theory. A function rests on every definition of the tree that its body, decorators, defaults or
annotations name. Names are resolved through the module's imports; a name that is bound in the
function itself is not the module's. In ``kernel/`` this is exact: no function is passed as an
argument and there are no methods. tests/verify/test_impact.py compares it with the calls
that a session makes. Elsewhere methods are reached through their class: ``self.m`` is resolved, and
a class rests on its methods.

Rules of this file:

*   Definitions at the top of a module, and methods, are places. What else a module does when it is
    imported is its place ``MODULE:``.
*   A test rests on its fixtures, by the names of its arguments: of its own module, then of the
    nearest ``conftest`` above it.
*   A scenario rests on the events it names.

Not here: models (``graph_models.py``), names that correspond (``impact.py``).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from verify.graph import CODE, TEST, Graph, Node

PACKAGES = ("kernel", "traces", "dolphin", "verify", "certification", "tests", "spec")
Function = ast.FunctionDef | ast.AsyncFunctionDef
SCENARIO = "tests/scenarios/test_scenarios.py::test_scenario"
REST = ":"  # what a module does beside defining: "kernel.step:"


@dataclass
class Module:
    """A module: what it defines, and what its names stand for."""

    name: str
    file: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    defined: dict[str, ast.stmt] = field(default_factory=dict)


def modules(root: Path) -> dict[str, Module]:
    """Read every module of the tree, by dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if "__pycache__" in path.parts:
                continue
            file = path.relative_to(root).as_posix()
            name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            tree = ast.parse(path.read_text(encoding="utf-8"), filename=file)
            module = Module(name, file, tree)
            _read(module)
            found[name] = module
    return found


def bound_by(statement: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a module binds."""
    if isinstance(statement, Function | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.TypeAlias):
        targets = [statement.target if isinstance(statement, ast.AnnAssign) else statement.name]
    else:
        return []
    return [
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    ]


def _read(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                module.imports[alias.asname or name] = name
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                module.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for statement in module.tree.body:
        for name in bound_by(statement):
            module.defined[name] = statement


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([one.lineno for one in decorators] + [node.lineno])


def _bound(node: ast.AST) -> set[str]:
    """Return the names that a function binds itself, arguments and inner functions included."""
    found: set[str] = set()
    declared: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.arg):
            found.add(child.arg)
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store | ast.Del):
            found.add(child.id)
        elif isinstance(child, Function | ast.ClassDef | ast.ExceptHandler) and child is not node:
            found.add(child.name or "")
        elif isinstance(child, ast.Global | ast.Nonlocal):
            declared |= set(child.names)
    return found - declared


class Resolver:
    """Names to places, over all modules."""

    def __init__(self, found: dict[str, Module]) -> None:
        """Resolve in these modules."""
        self._modules = found

    def place(self, dotted: str, tried: frozenset[str] = frozenset()) -> str | None:
        """Return the place that a dotted name stands for, through re-exports."""
        owner, _, name = dotted.rpartition(".")
        module = self._modules.get(owner)
        if module is None or not name or dotted in tried:
            return None
        if name in module.defined:
            return dotted
        if name in module.imports:
            return self.place(module.imports[name], tried | {dotted})
        return None

    def named(self, module: Module, node: ast.AST, local: set[str]) -> Iterator[tuple[str, bool]]:
        """Yield (place, whether it is called) of everything that ``node`` names."""
        called = {id(child.func) for child in ast.walk(node) if isinstance(child, ast.Call)}
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and child.id not in local:
                if child.id in module.defined:
                    yield f"{module.name}.{child.id}", id(child) in called
                elif (found := self.place(module.imports.get(child.id, ""))) is not None:
                    yield found, id(child) in called
            elif isinstance(child, ast.Attribute):
                dotted = _dotted(child)
                head, _, rest = dotted.partition(".")
                if not rest or head in local or head not in module.imports:
                    continue
                found = self.place(f"{module.imports[head]}.{rest}")
                if found is not None:
                    yield found, id(child) in called


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        above = _dotted(node.value)
        return f"{above}.{node.attr}" if above else ""
    return ""


def is_test(module: Module, name: str) -> bool:
    """Return whether a definition is one that pytest collects."""
    return module.file.rpartition("/")[2].startswith("test_") and name.startswith("test")


def place_of(module: Module, name: str, owner: str = "") -> str:
    """Return the place of a definition: a test's is its node id."""
    if is_test(module, name) and module.name.startswith("tests."):
        inside = f"{owner}::" if owner else ""
        return f"{module.file}::{inside}{name}"
    return f"{module.name}.{owner}.{name}" if owner else f"{module.name}.{name}"


def _kind(node: ast.stmt) -> str:
    if isinstance(node, Function):
        return "function"
    return "class" if isinstance(node, ast.ClassDef) else "constant"


def _add(graph: Graph, module: Module) -> None:
    section = TEST if module.name.partition(".")[0] == "tests" else CODE
    for name, node in module.defined.items():
        place = place_of(module, name)
        what = "test" if "::" in place else _kind(node)
        end = node.end_lineno or node.lineno
        graph.add(Node(place, section, what, module.file, _first(node), end))
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function):
                    inner = place_of(module, method.name, node.name)
                    what = "test" if "::" in inner else "method"
                    end = method.end_lineno or method.lineno
                    graph.add(Node(inner, section, what, module.file, _first(method), end))
    graph.add(Node(f"{module.name}{REST}", section, "module", module.file, 1, 1))


def _fixtures(found: dict[str, Module], module: Module, name: str) -> str | None:
    """Return the place of a fixture by its name, as pytest would look for it."""
    folders = module.name.split(".")[:-1]
    owners = [module.name]
    owners += [".".join([*folders[:depth], "conftest"]) for depth in range(len(folders), 0, -1)]
    for owner in owners:
        node = found[owner].defined.get(name) if owner in found else None
        if isinstance(node, Function) and any(
            "fixture" in ast.dump(d) for d in node.decorator_list
        ):
            return f"{owner}.{name}"
    return None


def _link(graph: Graph, found: dict[str, Module], resolver: Resolver, module: Module) -> None:
    def rest(place: str, node: ast.AST, local: set[str]) -> None:
        seen: dict[str, str] = {}
        for target, is_call in resolver.named(module, node, local):
            seen[target] = "calls" if is_call else seen.get(target, "names")
        for target, why in seen.items():
            owner, _, last = target.rpartition(".")
            test = place_of(found[owner], last)
            graph.link(place, test if "::" in test else target, why)

    def function(place: str, node: ast.stmt, owner: ast.ClassDef | None) -> None:
        rest(place, node, _bound(node))
        if owner is not None:
            methods = {one.name for one in owner.body if isinstance(one, Function)}
            for child in ast.walk(node):
                inner = isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name)
                if inner and child.value.id in ("self", "cls") and child.attr in methods:  # type: ignore[attr-defined]  # asked above
                    graph.link(place, place_of(module, child.attr, owner.name), "calls")  # type: ignore[attr-defined]  # asked above
        arguments = getattr(node, "args", None)
        if module.name.startswith("tests.") and isinstance(arguments, ast.arguments):
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                fixture = _fixtures(found, module, argument.arg)
                if fixture is not None:
                    graph.link(place, fixture, "takes the fixture")

    tops = {id(node) for node in module.defined.values()}
    for name, node in module.defined.items():
        place = place_of(module, name)
        if isinstance(node, ast.ClassDef):
            for part in (*node.decorator_list, *node.bases, *node.keywords):
                rest(place, part, set())
            for statement in node.body:
                if isinstance(statement, Function):
                    inner = place_of(module, statement.name, node.name)
                    function(inner, statement, node)
                    graph.link(place, inner, "has the method")
                else:
                    rest(place, statement, set())
        elif isinstance(node, Function):
            function(place, node, None)
        else:
            rest(place, node, set())
    for statement in module.tree.body:
        if id(statement) not in tops and not isinstance(statement, ast.Import | ast.ImportFrom):
            rest(f"{module.name}{REST}", statement, set())


def _scenarios(graph: Graph, root: Path) -> None:
    for path in sorted((root / "tests" / "scenarios").glob("*.txt")):
        file = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        place = f"{SCENARIO}[{path.stem}]"
        graph.add(Node(place, TEST, "scenario", file, 1, text.count("\n") + 1))
        graph.link(place, "tests.scenarios.player.played", "is played by")
        for event in sorted(set(re.findall(r"(?m)^([A-Z]\w+)", text))):
            graph.link(place, f"kernel.events.{event}", "says")


def add_python(graph: Graph, root: Path) -> dict[str, Module]:
    """Add every definition and every reference of the tree; return the modules."""
    found = modules(root)
    resolver = Resolver(found)
    for module in found.values():
        _add(graph, module)
    for module in found.values():
        _link(graph, found, resolver, module)
    _scenarios(graph, root)
    return found
