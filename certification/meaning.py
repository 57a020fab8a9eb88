"""A hash over the meaning of files: the same after a move or a comment, another after a change.

Rules of this file:

*   Python counts by definition. A definition is the syntax tree of one function, class or
    assignment of a module, without docstrings, comments, layout and import statements, together
    with what each name that it uses is bound to: the tree of the definition that an import leads
    to, or the dotted name of what is not in this project. So a function may move to another
    file, and a module to another folder; a name that is bound to something else is a change.
*   A set of files is the sum of its definitions, whatever file each stands in. What is no
    definition (a bare statement) counts by its tree.
*   A definition's closure is itself and all that it reaches by name. What a test is handed by name
    (a fixture) is looked for in the conftest files above it.
*   Models and their configurations count without comments, blank lines and trailing blanks, under
    their file's own name, which TLC knows them by. Any other file counts by name and bytes.
*   The hash is of our own writing of the tree, so it is the same for every version of Python that
    reads the same tree.

What it cannot see: a name that is reached by ``getattr``, by a text, or as an attribute of a
value. The class of the value is seen where it is named. docs/adr/0090 weighs this.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

Place = tuple[str, str]  # dotted module, name

_SPACES_OUT = ("ctx", "kind", "type_comment")
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_MODELS = (".tla", ".cfg")
EMPTY: Mapping[str, Place] = {}


def sha256(*parts: str) -> str:
    """Return the hash of some texts, each ended by a zero."""
    return hashlib.sha256("".join(f"{part}\0" for part in parts).encode()).hexdigest()


def _is_text(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_nothing(node: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


@dataclass
class SourceText:
    """Some trees as text, the names that they use, and the imports that stand in them."""

    text: str = ""
    used: set[str] = field(default_factory=set)
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)


def source_text(nodes: Iterable[ast.AST]) -> SourceText:
    """Return trees as text: without places, docstrings and imports."""
    found = SourceText()

    def said(node: object) -> str:
        if isinstance(node, ast.AST):
            kind = type(node)
            if kind is ast.Name:
                found.used.add(node.id)  # type: ignore[attr-defined]  # a Name, by the line above
            elif kind is ast.arg:
                found.used.add(node.arg)  # type: ignore[attr-defined]  # an arg, likewise
            parts = [kind.__name__]
            for name in kind._fields:
                value = getattr(node, name, None)
                if value is None or name in _SPACES_OUT:
                    continue
                if isinstance(value, list):
                    if name == "body" and kind in _WITH_DOCSTRING and value and _is_text(value[0]):
                        value = value[1:]
                    kept = []
                    for one in value:
                        if kind is ast.JoinedStr and _is_nothing(one):
                            continue  # some versions of Python write an empty text here
                        if isinstance(one, ast.Import | ast.ImportFrom):
                            found.imports.append(one)
                        else:
                            kept.append(said(one))
                    if kept:
                        parts.append(f"{name}=[{' '.join(kept)}]")
                else:
                    parts.append(f"{name}={said(value)}")
            return f"({' '.join(parts)})"
        return repr(node)

    found.text = "\0".join(said(node) for node in nodes)
    return found


@dataclass
class Module:
    """A module's definitions by name, its bare statements, and what its imports bind."""

    name: str
    package: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    bare: list[ast.stmt] = field(default_factory=list)
    imports: dict[str, Place] = field(default_factory=dict)  # with "" for the module itself


def _names_of(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.TypeAlias):
        return [node.name.id]
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else targets
    return [one.id for each in targets for one in ast.walk(each) if isinstance(one, ast.Name)]


def _bindings(nodes: Iterable[ast.AST], package: str) -> Iterator[tuple[str, Place]]:
    """Yield what import statements bind: a name, and the module and name it is bound to."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            source = ".".join([*above, node.module or ""]) if node.level else node.module or ""
            for one in node.names:
                yield one.asname or one.name, (source.rstrip("."), one.name)
        elif isinstance(node, ast.Import):
            for one in node.names:
                yield one.asname or one.name.partition(".")[0], (one.name, "")


def _read(name: str, package: str, text: str) -> Module:
    body = ast.parse(text).body
    module = Module(name, package)
    for statement in body[1:] if body and _is_text(body[0]) else body:
        names = _names_of(statement)
        for each in names:
            module.definitions.setdefault(each, []).append(statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            module.imports.update(_bindings((statement,), package))
        elif not names:
            module.bare.append(statement)  # an "if" or a "try" may hold imports
            module.imports.update(_bindings(ast.walk(statement), package))
    return module


class Tree:
    """The Python of a project, read as it is asked for."""

    def __init__(self, root: Path) -> None:
        """Read below ``root``."""
        self.root = root
        self.module = cache(self._module)
        self.source_text = cache(self._source_text)
        self.own = cache(self._own)
        self.bound = cache(self._bound)
        self.entry = cache(self._entry)
        self._files: dict[str, Path] = {}

    def at(self, path: Path) -> Module:
        """Return the module in a file. Raises SyntaxError, naming the file."""
        parts = path.relative_to(self.root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found = self.module(name)
        if found is None:
            raise FileNotFoundError(path)
        return found

    def _module(self, name: str) -> Module | None:
        base = self.root.joinpath(*name.split("."))
        for path, package in (
            (base.with_name(base.name + ".py"), name.rpartition(".")[0]),
            (base / "__init__.py", name),
        ):
            if name and path.is_file():
                return _read(name, package, path.read_text(encoding="utf-8"))
        return None

    def _source_text(self, place: Place) -> SourceText:
        """Return a definition as text; with the name "" the bare statements of a module."""
        module = self.module(place[0])
        assert module is not None
        return source_text(module.definitions[place[1]] if place[1] else module.bare)

    def _own(self, place: Place) -> str:
        """Return the hash of a definition's own tree; of all of a module where the name is ""."""
        if place[1]:
            return sha256(self.source_text(place).text)
        module = self.module(place[0])
        assert module is not None
        own = [self.own((place[0], name)) for name in module.definitions]
        return sha256(*sorted(own), self.source_text(place).text)

    def target(
        self, module: Module, name: str, inner: Mapping[str, Place] = EMPTY, ahead: int = 8
    ) -> Place | str | None:
        """Return what a name is bound to in a module: a place, a foreign name, or nothing.

        ``inner`` are the imports inside the definition that uses it.
        """
        if name in inner or (name in module.imports and name not in module.definitions):
            source, what = inner.get(name) or module.imports[name]
            if what:
                there = self.module(source)
                if there is not None and (what in there.definitions or what in there.imports):
                    return self.target(there, what, EMPTY, ahead - 1) if ahead else what
                source = f"{source}.{what}"
            return (source, "") if self.module(source) is not None else f"foreign {source}"
        if name in module.definitions:
            return (module.name, name)
        folder = module.name
        while folder and module.name.startswith("tests."):
            folder = folder.rpartition(".")[0]
            above = self.module(f"{folder}.conftest") if folder else None
            if above is not None and name in above.definitions:
                return (above.name, name)
        return None

    def _bound(self, place: Place) -> tuple[tuple[str, Place | str], ...]:
        """Return each name that a definition uses, and what it is bound to."""
        module = self.module(place[0])
        assert module is not None
        said = self.source_text(place)
        inner = dict(_bindings(said.imports, module.package))
        found = []
        for name in sorted(said.used - {place[1]}):
            target = self.target(module, name, inner)
            if target is not None:
                found.append((name, target))
        return tuple(found)

    def _entry(self, place: Place) -> int:
        """Return a definition as a number: its own tree, and the trees of what it is bound to."""
        module = self.module(place[0])
        assert module is not None
        own = sha256(self.source_text(place).text)
        bound = [
            f"{name} {target if isinstance(target, str) else self.own(target)}"
            for name, target in self.bound(place)
        ]
        return int(sha256(own, *bound), 16)

    def definition(self, place: Place) -> ast.stmt:
        """Return the first statement that defines a name."""
        module = self.module(place[0])
        assert module is not None
        return module.definitions[place[1]][0]

    def places(self, module: Module) -> Iterator[Place]:
        """Yield a module's definitions, and with the name "" its bare statements."""
        yield from ((module.name, name) for name in module.definitions)
        if module.bare:
            yield (module.name, "")

    def reached(self, place: Place) -> set[Place]:
        """Return a definition and all that it reaches; with the name "" all that a module does."""
        seen: set[Place] = set()
        module = self.module(place[0])
        assert module is not None
        waiting = [place] if place[1] else list(self.places(module))
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            for _, target in self.bound(one):
                if isinstance(target, str):
                    continue
                module = self.module(target[0])
                assert module is not None
                waiting += [target] if target[1] else self.places(module)
                if target[1] and module.bare:
                    waiting.append((target[0], ""))
        return seen

    def closure(self, place: Place) -> str:
        """Return the hash of a definition and all that it reaches."""
        return _summed(map(self.entry, self.reached(place)))


def _summed(entries: Iterable[int]) -> str:
    """Return one hash of hashes whose order and whose files mean nothing."""
    return f"{sum(entries) % 2**256:064x}"


def model_text(text: str) -> str:
    """Return a model's text without comments, blank lines and trailing blanks."""
    text = re.sub(r"\(\*.*?\*\)", " ", text, flags=re.DOTALL)
    lines = (line.partition("\\*")[0].rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def found(root: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files that match, sorted, each once."""
    paths = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return sorted(path for path in paths if "__pycache__" not in path.parts)


def digest(tree: Tree, patterns: Iterable[str]) -> str:
    """Return the hash of what the files mean that match. Raises SyntaxError."""
    entries = []
    for path in found(tree.root, patterns):
        if path.suffix == ".py":
            module = tree.at(path)
            entries += [tree.entry(place) for place in tree.places(module)]
        elif path.suffix in _MODELS:
            text = model_text(path.read_text(encoding="utf-8"))
            entries.append(int(sha256(path.name, text), 16))
        else:
            data = hashlib.sha256(path.read_bytes()).hexdigest()
            entries.append(int(sha256(path.name, data), 16))
    return _summed(entries)


def exact(root: Path, patterns: Iterable[str]) -> str:
    """Return the hash of names and bytes of the files that match."""
    whole = hashlib.sha256()
    for path in found(root, patterns):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
