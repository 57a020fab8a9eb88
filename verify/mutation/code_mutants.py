"""The mutants of a Python file: mutmut's operators, at every place of the code that runs.

Rules of this file:

*   The operators are mutmut's, all of them. Where they are applied is ours, for mutmut itself
    leaves out every decorated function (its trampolines cannot hold one), and the kernel's
    functions carry contracts: of the kernel it would have mutated less than half.
*   Mutated are the bodies of functions and methods, defaults of parameters, and the constants and
    tables of modules and classes. Not mutated: decorators (a contract is no code of the body),
    annotations, type aliases, docstrings, imports, and calls of ``isinstance`` and ``len``
    (mutmut's own exception: what is left of them raises a ``TypeError`` at once).
*   A mutant that does not compile, or whose syntax tree is the original's or another mutant's, is
    none.
*   An id names module, function and the number within it: ``kernel.gate.capital#3``. Beside it
    stands the hash of the function's tree without decorators, docstrings and comments, which says
    whether the id still means the same.

Theory: DeMillo, Lipton, Sayward, "Hints on test data selection", IEEE Computer 11(4), 1978.
Not here: running tests (``code_server.py``), what is selected (``code_run.py``).
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

UNTOUCHED_CALLS = {"isinstance", "len"}
# Part of every key under which a result is kept: raise it when other mutants come out.
GENERATOR = 1

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    """One small change of one file.

    ``function`` is the qualified name of the function, of the class attribute or of the module's
    constant that is changed. ``line`` counts from 1; ``statement`` is the first and last line of
    the innermost statement (of a compound one: its head). ``original`` and ``mutated`` are the
    node's text, ``mutated_source`` the whole file's. ``at_import`` says that the change is run
    when the module is imported, not when the function is called.
    """

    id: str
    path: str
    function: str
    function_hash: str
    line: int
    statement: tuple[int, int]
    operator: str
    original: str
    mutated: str
    mutated_source: str
    at_import: bool

    @property
    def change(self) -> str:
        """Say the change in a few words: the two texts, what they share at the ends cut short."""
        at = max(0, _common(self.original, self.mutated) - 30)
        before, after = self.original[at:], self.mutated[at:]
        cut = max(0, _common(before[::-1], after[::-1]) - 20)
        ends = ("…" if at else "", "…" if cut else "")
        before, after = before[: len(before) - cut], after[: len(after) - cut]
        return f"{ends[0]}{before}{ends[1]} → {ends[0]}{after}{ends[1]}"


def _common(one: str, other: str) -> int:
    """Return how many characters two texts share from the beginning."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in same)


@dataclass(frozen=True)
class _Place:
    """Where a node stands: the outermost function's name, line, the innermost statement."""

    function: str
    at_import: bool
    line: int
    statement: tuple[int, int]


def bare(node: ast.stmt) -> ast.stmt:
    """Return a copy of a definition without decorators and docstrings, in all that it holds."""
    copy = ast.parse(ast.unparse(node)).body[0]
    for each in ast.walk(copy):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            each.decorator_list = []
            first = each.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                each.body = each.body[1:] or [ast.Pass()]
    return copy


def hash_of(node: ast.stmt) -> str:
    """Return the hash of a statement's tree without decorators, docstrings and comments."""
    return hashlib.sha256(ast.dump(bare(node)).encode()).hexdigest()[:16]


def _is_alias(node: cst.CSTNode) -> bool:
    """Return whether a statement gives a type another name: ``Ages = tuple[int, int]``.

    The house writes types, and nothing else, in capitalised words (docs/STYLE.md).
    """
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return False
    target = node.targets[0].target
    if not isinstance(target, cst.Name):
        return False
    return target.value[0].isupper() and not target.value.isupper()


class _Collector(cst.CSTVisitor):
    """Walks a file and keeps each place where an operator applies, with what it makes of it."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[_Place, str, cst.CSTNode, cst.CSTNode]] = []
        self._classes: list[str] = []
        self._functions: list[str] = []
        self._bodies = 0
        self._statements: list[tuple[int, int]] = []
        self._targets: list[str] = []

    # --- where we are ----------------------------------------------------------------------------

    def _lines(self, node: cst.CSTNode) -> tuple[int, int]:
        span = self.get_metadata(PositionProvider, node)
        return span.start.line, span.end.line

    def _head(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the lines of a statement; of a compound one those before its block."""
        first, last = self._lines(node)
        body = getattr(node, "body", None)
        if isinstance(body, cst.BaseSuite):
            last = max(first, self._lines(body)[0] - 1)
        return first, last

    def _place(self, node: cst.CSTNode) -> _Place:
        line = self._lines(node)[0]
        if self._functions:
            name = ".".join((*self._classes, self._functions[0]))
        else:
            name = ".".join((*self._classes, *(self._targets or ["<module>"])))
        return _Place(
            function=name,
            at_import=self._bodies == 0,
            line=line,
            statement=self._statements[-1] if self._statements else (line, line),
        )

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Keep what the operators make of the node; say whether to go below it."""
        if self._left_out(node):
            return False
        if isinstance(node, cst.BaseStatement | cst.SimpleStatementLine):
            self._statements.append(self._head(node))
        if isinstance(node, cst.ClassDef):
            self._classes.append(node.name.value)
        elif isinstance(node, cst.FunctionDef):
            self._functions.append(node.name.value)
        elif isinstance(node, cst.IndentedBlock | cst.SimpleStatementSuite) and self._functions:
            self._bodies += 1
        elif isinstance(node, cst.Assign | cst.AnnAssign) and not self._functions:
            self._targets.append(_target(node))
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for made in operator(node):
                    name = operator.__name__.removeprefix("operator_")
                    self.found.append((self._place(node), name, node, made))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Undo what ``on_visit`` noted."""
        node = original_node
        if isinstance(node, cst.BaseStatement | cst.SimpleStatementLine):
            if not self._left_out(node):
                self._statements.pop()
        if isinstance(node, cst.ClassDef):
            self._classes.pop()
        elif isinstance(node, cst.FunctionDef):
            self._functions.pop()
        elif isinstance(node, cst.IndentedBlock | cst.SimpleStatementSuite) and self._functions:
            self._bodies -= 1
        elif isinstance(node, cst.Assign | cst.AnnAssign) and not self._functions:
            if not self._left_out(node):
                self._targets.pop()

    def _left_out(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
            return True
        if isinstance(node, cst.TypeAlias) or (not self._functions and _is_alias(node)):
            return True
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
            return node.func.value in UNTOUCHED_CALLS
        return False


def _target(node: cst.Assign | cst.AnnAssign) -> str:
    """Return the text of what is assigned to."""
    target = node.target if isinstance(node, cst.AnnAssign) else node.targets[0].target
    return target.value if isinstance(target, cst.Name) else "<module>"


class _Text:
    """A file's text, and how to put a node's text in the place of another's.

    Rendering a whole file for each mutant takes seconds a file; most nodes can be cut out of the
    text and replaced. Where the text at a node's position is not what the node alone renders to
    (a call over several indented lines), the outermost statement around it is rendered.
    """

    def __init__(self, module: cst.Module, source: str, spans: Mapping[cst.CSTNode, Any]) -> None:
        self.module = module
        self.source = source
        self.spans = spans
        lengths = [len(line) for line in source.splitlines(keepends=True)]
        self.starts = [0, *accumulate(lengths)]
        render = module.code_for_node
        self.parts = [
            "".join(render(line) for line in module.header),
            *(render(statement) for statement in module.body),
            "".join(render(line) for line in module.footer),
        ]
        assert "".join(self.parts) == source, "a file is not rendered as it stands"

    def of(self, node: cst.CSTNode) -> str:
        """Return a node's text, as it would stand between its parentheses."""
        if getattr(node, "lpar", None):
            node = node.with_changes(lpar=(), rpar=())
        return self.module.code_for_node(node)

    def replaced(self, node: cst.CSTNode, made: cst.CSTNode) -> str:
        """Return the file's text with ``made`` for ``node``."""
        span = self.spans[node]
        begin = self.starts[span.start.line - 1] + span.start.column
        end = self.starts[span.end.line - 1] + span.end.column
        if self.source[begin:end] != self.of(node):
            return self._rendered(node, made)
        same = getattr(made, "lpar", ()) == getattr(node, "lpar", ())
        text = self.of(made) if same else self.module.code_for_node(made)
        return self.source[:begin] + text + self.source[end:]

    def _rendered(self, node: cst.CSTNode, made: cst.CSTNode) -> str:
        line = self.spans[node].start.line
        index = max(i for i, each in enumerate(self.module.body) if self._line(each) <= line)
        changed = self.module.body[index].deep_replace(node, made)
        assert isinstance(changed, cst.CSTNode)
        before, after = self.parts[: index + 1], self.parts[index + 2 :]
        return "".join((*before, self.module.code_for_node(changed), *after))

    def _line(self, node: cst.CSTNode) -> int:
        line: int = self.spans[node].start.line
        return line


def _scopes(source: str) -> Iterator[tuple[int, int, str]]:
    """Yield first line, last line and hash of each function, method and other statement."""

    def enter(body: list[ast.stmt]) -> Iterator[tuple[int, int, str]]:
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from enter(node.body)
            else:
                yield node.lineno, node.end_lineno or node.lineno, hash_of(node)

    yield from enter(ast.parse(source).body)


def _tree(source: str, first: int, last: int) -> str:
    """Return the syntax tree of some whole statements of a file, as text."""
    lines = source.split("\n")[first - 1 : last]
    opening = "if True:\n" if lines[0][:1].isspace() else ""
    return ast.dump(ast.parse(opening + "\n".join(lines)))


def _mutants(root: Path, path: Path) -> Iterator[Mutant]:
    source = path.read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    collector = _Collector()
    wrapper.visit(collector)
    text = _Text(wrapper.module, source, wrapper.resolve(PositionProvider))
    scopes = list(_scopes(source))
    name = path.relative_to(root).as_posix()
    dotted = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    height = source.count("\n")
    seen: dict[int, set[str]] = {}
    numbers: dict[str, int] = {}
    for place, operator, node, made in collector.found:
        inside = [scope for scope in scopes if scope[0] <= place.line <= scope[1]]
        if not inside:
            continue  # a class's own line
        first, last, digest = inside[0]
        mutated = text.replaced(node, made)
        try:
            tree = _tree(mutated, first, last + mutated.count("\n") - height)
        except SyntaxError:
            continue
        known = seen.setdefault(first, {_tree(source, first, last)})
        if tree in known:
            continue
        known.add(tree)
        number = numbers[place.function] = numbers.get(place.function, 0) + 1
        yield Mutant(
            id=f"{dotted}.{place.function}#{number}",
            path=name,
            function=place.function,
            function_hash=digest,
            line=place.line,
            statement=place.statement,
            operator=operator,
            original=" ".join(text.of(node).split()),
            mutated=" ".join(text.of(made).split()),
            mutated_source=mutated,
            at_import=place.at_import,
        )


def mutants_of(path: Path, root: Path | None = None) -> list[Mutant]:
    """Return the mutants of a file, in the order of its text.

    ``root`` is the project's folder, from which ids and paths count; by default this project's.
    Raises OSError where the file cannot be read, libcst's ParserSyntaxError where it is no Python.
    """
    base = root if root is not None else Path(__file__).resolve().parents[2]
    return list(_mutants(base, base / path))
