"""Where requirements are named: in code, in models and proofs, on tests.

The convention. Code and models name what they implement in a comment or a docstring; the name
belongs to the function or operator that it stands in or right above:

    # KRN-KILL-012, KRN-KILL-013            \\* KRN-KILL-012, KRN-KILL-013
    def settle(state: State) -> Accepted:   Settle ==

Tests name what they verify with ``@pytest.mark.req("KRN-KILL-012")``; a scenario with a line
``# Shows KRN-KILL-012.`` at its head.

Rules of this file:

*   Read as text and syntax tree; nothing is imported.
*   Whatever looks like an id is taken for one, whether a requirement has it or not: one that none
    has is a gate's to name. ``NOT_IDS`` are the words that only look so.

Not here: outcomes (``outcomes.py``), what is missing (``gates.py``).
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CODE, SPEC, TEST = "code", "spec", "test"
KINDS = (CODE, SPEC, TEST)
TOKEN = re.compile(r"(?<![\w-])[A-Z]{3}-(?:[A-Z]+-)?\d{3}(?![\w-])")
NOT_IDS = re.compile(r"SHA-\d{3}\Z")
CODE_FOLDERS = ("kernel", "traces", "dolphin", "verify")
OPERATOR = re.compile(r"^(?:LOCAL\s+)?([A-Za-z_]\w*)\s*(?:\([^=]*?\))?\s*==")
PROVED = re.compile(r"^\s*(?:Theorem|Lemma|Corollary|Definition|Fixpoint)\s+([A-Za-z_][\w']*)")

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, order=True)
class Link:
    """One place that names a requirement. ``where`` is a function, an operator, or ""."""

    requirement: str
    kind: str
    file: str
    line: int
    where: str


def ids_in(text: str) -> list[str]:
    """Return what looks like an id, in order."""
    return [one for one in TOKEN.findall(text) if not NOT_IDS.match(one)]


def _functions(tree: ast.Module) -> list[tuple[int, int, str]]:
    """Return first line (decorators included), last line and dotted name of every definition."""
    found: list[tuple[int, int, str]] = []

    def walk(node: ast.AST, above: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                name = f"{above}.{child.name}" if above else child.name
                first = min([one.lineno for one in child.decorator_list] + [child.lineno])
                found.append((first, child.end_lineno or child.lineno, name))
                walk(child, name)
            else:
                walk(child, above)

    walk(tree, "")
    return found


def _owner(functions: list[tuple[int, int, str]], line: int, following: int) -> str:
    """Return the innermost definition around ``line``, or the one that begins at ``following``."""
    starts = [name for first, _, name in functions if first == following]
    if starts:
        return starts[0]
    around = [(last - first, name) for first, last, name in functions if first <= line <= last]
    return min(around)[1] if around else ""


def python_links(file: str, text: str, kind: str = CODE) -> list[Link]:
    """Return the ids in a module's comments and docstrings."""
    tree = ast.parse(text)
    functions = _functions(tree)
    rows = text.splitlines()
    found: list[Link] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = following = token.start[0]
        if rows[line - 1].lstrip().startswith("#"):
            while following <= len(rows) and rows[following - 1].lstrip()[:1] in ("#", ""):
                if not rows[following - 1].strip() and following > line:
                    break  # a comment that a blank line parts from what follows is not its own
                following += 1
        owner = _owner(functions, line, following)
        found += [Link(one, kind, file, line, owner) for one in ids_in(token.string)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | Function):
            said = ast.get_docstring(node) or ""
            if ids_in(said):
                first = node.body[0].lineno
                owner = _owner(functions, first, 0)
                found += [Link(one, kind, file, first, owner) for one in ids_in(said)]
    return found


def marks(file: str, text: str) -> list[Link]:
    """Return the ids that ``mark.req`` names in a test module, as far as they are literal."""
    tree = ast.parse(text)
    functions = _functions(tree)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name != "req":
            continue
        owner = _owner(functions, node.lineno, 0)
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found.append(Link(argument.value, TEST, file, argument.lineno, owner))
    return found


def _definitions(text: str, pattern: re.Pattern[str]) -> dict[int, str]:
    return {
        number: match.group(1)
        for number, row in enumerate(text.splitlines(), 1)
        if (match := pattern.match(row))
    }


def model_links(file: str, text: str) -> list[Link]:
    """Return the ids in a TLA+ module's or a Rocq file's comments, with their operator."""
    starts = _definitions(text, PROVED if file.endswith(".v") else OPERATOR)
    rows = text.splitlines()
    found = []
    for line, row in enumerate(rows, 1):
        ids = ids_in(row)
        if not ids:
            continue
        following = line
        while following <= len(rows) and rows[following - 1].lstrip().startswith(("\\*", "(*")):
            following += 1
        before = [at for at in starts if at <= line]
        owner = starts.get(following) or (starts[max(before)] if before else "")
        found += [Link(one, SPEC, file, line, owner) for one in ids]
    return found


def scenario_links(file: str, text: str) -> list[Link]:
    """Return the ids that a scenario says it shows."""
    return [
        Link(one, TEST, file, line, "")
        for line, row in enumerate(text.splitlines(), 1)
        if row.startswith("# Shows ")
        for one in ids_in(row)
    ]


def _files(root: Path, folder: str, suffix: str) -> Iterator[tuple[str, str]]:
    for path in sorted((root / folder).rglob(f"*{suffix}")):
        if "__pycache__" not in path.parts:
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def scan(root: Path) -> list[Link]:
    """Return every link below ``root``, sorted."""
    found: list[Link] = []
    for folder in CODE_FOLDERS:
        for file, text in _files(root, folder, ".py"):
            found += python_links(file, text)
    for folder, suffix in (("spec/tla", ".tla"), ("spec/rocq", ".v")):
        for file, text in _files(root, folder, suffix):
            found += model_links(file, text)
    for file, text in _files(root, "tests", ".py"):
        # The tests of this tool name ids that no requirement has, on purpose.
        if not file.startswith("tests/certification/requirements/"):
            found += marks(file, text)
    for file, text in _files(root, "tests/scenarios", ".txt"):
        found += scenario_links(file, text)
    return sorted(set(found))
