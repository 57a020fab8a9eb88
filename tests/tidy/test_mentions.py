"""What prose names is there: files, headings, modules, in pages and in the comments of code.

A reader follows such a name, so it must lead somewhere. Read are whole pages, models, proofs,
tables and scenarios, and of Python the comments and docstrings (a string may be a sample). Rules:

*   A path that begins with a folder of the tree is there, and a heading behind it is one of that
    page. A path with a placeholder (``<id>``, ``*``, ``…``) is left alone.
*   A file named without its folder is a neighbour, or the only one of its name in the tree.
    Otherwise a reader would have to guess.
*   What ``python -m`` starts is a module; a dotted name in a code span is a module, or is defined
    in one.

Not here: links of Markdown (``test_docs.py``), sources (``test_citations.py``), decisions by their
number (``test_decisions.py``).
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from tests.tidy.findings import Finding, files, must_reject, show, tree
from tests.tidy.test_docs import anchors

FOLDERS = r"(?:kernel|traces|dolphin|verify|certification|tests|spec|docs|locks|\.ci)"
ENDINGS = r"(?:py|tla|cfg|md|toml|v)"
PATH = re.compile(rf"(?<![\w./*<>~-])({FOLDERS}/[\w./-]*\w)(#[\w-]+)?(?!\.?[\w*/<>{{…-])")
NAME = re.compile(rf"`((?!\d{{4}}|NNNN)[\w-]+\.{ENDINGS})`")
STARTED = re.compile(rf"python3? -m ({FOLDERS}(?:\.\w+)*)")
DOTTED = re.compile(rf"`({FOLDERS}(?:\.\w+)+)`")
DECISION = re.compile(r"docs/adr/\d{4}$")
SUFFIXES = (".py", ".md", ".tla", ".cfg", ".v", ".toml", ".txt")


@dataclass(frozen=True)
class Tree:
    """What is there: every file and folder, how often each file name, each Markdown's anchors."""

    there: frozenset[str]
    texts: Mapping[str, str]

    def named(self, name: str) -> list[str]:
        """Return the files of that name."""
        return [path for path in self.there if PurePosixPath(path).name == name]


def tree_of(texts: Mapping[str, str], names: tuple[str, ...]) -> Tree:
    parents = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return Tree(frozenset({*names, *parents}), texts)


def prose(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that are for a reader: of Python, comments and docstrings."""
    if not path.endswith(".py"):
        yield from enumerate(text.splitlines(), start=1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                first = node.body[0]
                lines = (ast.get_docstring(node, clean=False) or "").splitlines()
                yield from enumerate(lines, start=first.lineno)


def missing_path(path: str, line: str, known: Tree) -> Iterator[tuple[str, str]]:
    """Yield what a line's paths miss, and what to do."""
    for name, heading in PATH.findall(line):
        plain = name.rstrip(".")
        if DECISION.match(plain):
            continue
        if plain not in known.there:
            yield f"{plain} is not in the tree", "name what is there"
        elif heading and heading[1:] not in anchors(known.texts.get(plain, "")):
            yield f"{plain} has no heading {heading}", "take the anchor from the heading"


def missing_name(path: str, line: str, known: Tree) -> Iterator[tuple[str, str]]:
    """Yield the bare file names that lead to no file, or to several."""
    for name in NAME.findall(line):
        beside = str(PurePosixPath(path).parent / name)
        if beside in known.there or name in known.there:
            continue
        found = known.named(name)
        if not found:
            yield f"there is no {name}", "name what is there"
        elif len(found) > 1:
            yield f"{name} is one of {len(found)}", f"name its folder too: {sorted(found)[0]}"


def missing_module(path: str, line: str, known: Tree) -> Iterator[tuple[str, str]]:
    """Yield the modules that are not there, and the names that no module of the tree defines."""
    for started in STARTED.findall(line):
        place = started.replace(".", "/")
        if not {f"{place}.py", f"{place}/__main__.py"} & known.there:
            yield f"python -m {started} starts nothing", "name a module that can be started"
    for dotted in DOTTED.findall(line):
        if dotted.endswith((".json", ".py")):
            continue
        parts = dotted.split(".")
        module = next(
            (
                (place, at)
                for at in range(len(parts), 0, -1)
                for place in ("/".join(parts[:at]) + ".py", "/".join(parts[:at]) + "/__init__.py")
                if place in known.there
            ),
            None,
        )
        folder = "/".join(parts)
        if folder in known.there:
            continue
        text = known.texts.get(module[0], "") if module else ""
        rest = parts[module[1] :] if module else parts
        if not module or not all(re.search(rf"\b{name}\b", text) for name in rest):
            yield f"{dotted} is no module, and none defines it", "name what is there"


CHECKS = (missing_path, missing_name, missing_module)


def mentions(path: str, text: str, known: Tree) -> list[Finding]:
    """Return every name in a file's prose that leads nowhere."""
    return [
        Finding(path, number, what, instead)
        for number, line in prose(path, text)
        for check in CHECKS
        for what, instead in check(path, line, known)
    ]


SAMPLE = tree_of(
    {"kernel/posture.py": "def called() -> None: ...\n", "docs/X.md": "# X\n## A b\n"},
    ("kernel/posture.py", "kernel/__init__.py", "docs/X.md", "traces/a.py", "verify/a.py",
     "dolphin/guard/__main__.py", "spec/tla/Kernel.tla"),
)  # fmt: skip
REJECTED = [
    ("docs/X.md", "see kernel/postures.py.\n", "not in the tree"),
    ("docs/X.md", "see docs/X.md#c\n", "no heading"),
    ("kernel/b.py", '"""A.\n\nSee docs/X.md#c.\n"""\n', "no heading"),
    ("kernel/b.py", "x = 1  # see traces/b.py\n", "not in the tree"),
    ("spec/tla/A.tla", "\\* Code: kernel/none.py\n", "not in the tree"),
    ("certification/a.toml", 'source = "docs/Y.md"\n', "not in the tree"),
    ("kernel/b.py", '"""Not here: curves (``curves.py``)."""\n', "there is no curves.py"),
    ("kernel/b.py", '"""Not here: it (``a.py``)."""\n', "one of 2"),
    ("docs/X.md", "`python -m dolphin.venue RUN`\n", "starts nothing"),
    ("docs/X.md", "`kernel.posture.raised`\n", "none defines it"),
    ("docs/X.md", "`kernel.postures`\n", "none defines it"),
]
ALLOWED = [
    ("docs/X.md", "kernel/posture.py, kernel/, docs/X.md#a-b. tests/<id>/x.py docs/X.*\n"),
    ("kernel/b.py", 'SAMPLE = "kernel/none.py"\n"""A string, no docstring: kernel/none.py"""\n'),
    ("kernel/b.py", '"""Theory (``posture.py``, ``Kernel.tla``); ADR in docs/adr/0001."""\n'),
    (
        "docs/X.md",
        "`python -m dolphin.guard` `kernel.posture.called` `kernel.posture` `dolphin.guard`\n",
    ),
]


@pytest.mark.parametrize(("path", "text", "what"), REJECTED)
def test_a_name_that_leads_nowhere_is_rejected(path: str, text: str, what: str) -> None:
    must_reject(lambda p, t: mentions(p, t, SAMPLE), path, text, what)


@pytest.mark.parametrize(("path", "text"), ALLOWED)
def test_a_name_that_leads_somewhere_passes(path: str, text: str) -> None:
    assert mentions(path, text, SAMPLE) == [], show(mentions(path, text, SAMPLE))


def test_what_prose_names_is_there() -> None:
    texts = dict(files(*SUFFIXES))
    known = tree_of(texts, tree())
    found = [
        each
        for path, text in texts.items()
        if not path.startswith("locks/") and path != "tests/tidy/test_mentions.py"
        for each in mentions(path, text, known)
    ]
    assert not found, show(found)
