"""No private words where a stranger reads: pages, modules' first lines, help, printed text.

Rules of the check:

*   ``plain_words.toml`` lists private words with the field's term for each. A row has a sample that
    it alone must reject.
*   Read are: the pages, the requirements, the first line of every module's docstring, the report's
    templates, and every text with a blank in it that the commands, the session's last screen, the
    instruments and the report can print.
*   Not read: decisions, which are records of their time, and ``spec/rocq/``, whose page repeats the
    comments of proofs; these are bound to results on record and change with them.

Not here: abbreviations (``test_docs.py``), whether a sentence is a good one.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from tests.tidy.findings import ROOT, Finding, files, must_reject, show

LIST = "tests/tidy/plain_words.toml"
NOT_READ = ("docs/adr/", "spec/rocq/")
# Names, which are no prose; in a template, what Jinja reads and the tags of HTML.
CODE_SPAN = re.compile(r"``[^`]*``|`[^`]*`|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<[^>]*>")
# What prints for people: the texts in these are read as well as the first lines.
PRINTING = ("dolphin/commands/", "dolphin/cli.py", "dolphin/ops/", "certification/", "verify/")
# The texts of these are inputs of results on record; they change when those are run again.
ON_RECORD = ("verify/mcdc/", "verify/proof/generate.py")


@dataclass(frozen=True)
class Word:
    """A private word: its pattern, what it may be part of, the term to use, a sample."""

    private: re.Pattern[str]
    but: re.Pattern[str]
    instead: str
    sample: str


def listed() -> list[Word]:
    rows = tomllib.loads((ROOT / LIST).read_text(encoding="utf-8"))["word"]
    return [
        Word(
            re.compile(row["private"], re.IGNORECASE),
            re.compile(row.get("not_in", r"(?!)")),
            row["instead"],
            row["sample"],
        )
        for row in rows
    ]


WORDS = listed()
NAMES: dict[str, str] = tomllib.loads((ROOT / LIST).read_text(encoding="utf-8"))["names"]


def docstrings(tree: ast.Module) -> set[int]:
    """Return the identities of the nodes that are docstrings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[:1]
            if first and isinstance(first[0], ast.Expr):
                found.add(id(first[0].value))
    return found


def read(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of everything in a file that a stranger reads."""
    if not path.endswith(".py"):
        yield from enumerate(text.splitlines(), start=1)
        return
    tree = ast.parse(text)
    headline = (ast.get_docstring(tree) or "").split("\n")[0]
    yield 1, headline
    if path.startswith(PRINTING) and not path.startswith(ON_RECORD):
        skipped = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if " " in node.value and id(node) not in skipped:
                    yield node.lineno, node.value


def private(path: str, text: str) -> list[Finding]:
    """Return the private words of a file, each with the term to use instead."""
    found = []
    for number, words in read(path, text):
        for word in WORDS:
            match = word.private.search(word.but.sub("", CODE_SPAN.sub("", words)))
            if match:
                found.append(Finding(path, number, f'"{match.group()}"', word.instead))
    return found


def named(path: str, text: str) -> list[Finding]:
    """Return the definitions, and the module itself, that bear a private name."""
    defined = [(1, PurePosixPath(path).stem)] + [
        (node.lineno, node.name)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    ]
    return [
        Finding(path, number, f"{name} is a private name", f"{NAMES[name]}, the standard term")
        for number, name in defined
        if name in NAMES
    ]


def where_strangers_read() -> Iterator[tuple[str, str]]:
    for path, text in files(".md", ".py"):
        if not path.startswith(NOT_READ):
            yield path, text
    yield from files(".toml", under=("certification/requirements",))
    yield from files(".html", under=("certification/templates",))


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.private.pattern)
def test_each_word_rejects_its_sample_and_no_other_row_does(word: Word) -> None:
    assert private("docs/X.md", word.sample + "\n")
    assert [one for one in WORDS if one.private.search(word.sample)] == [word]
    assert not word.private.search(word.instead), "the term is itself private"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("dolphin/link/x.py", '"""The tether of a child."""\n'),
        ("dolphin/commands/x.py", '"""A command."""\n\nclick.echo(f"{name} hangs on it")\n'),
        ("certification/x.py", '"""A page."""\n\nTEXT = "what hangs on it"\n'),
        ("README.md", "The rules of the house.\n"),
        ("certification/templates/x.html", "<p>{{ one.name }} hangs on it</p>\n"),
    ],
)
def test_a_private_word_where_a_stranger_reads_is_rejected(path: str, text: str) -> None:
    must_reject(private, path, text, '"')


def test_what_no_stranger_reads_is_left_alone() -> None:
    text = '"""A part."""\n\n\ndef tether() -> str:\n    """Tether it."""\n    return "tether it"\n'
    assert private("dolphin/link/x.py", text) == []
    assert private("docs/X.md", "USDT is Tether's dollar, `tether` a function.\n") == []


@pytest.mark.parametrize(
    ("path", "text"),
    [("dolphin/x.py", "class Hand: ...\n"), ("verify/excuses.py", "x = 1\n"),
     ("dolphin/x.py", "class A:\n    def tether(self) -> None: ...\n")],
)  # fmt: skip
def test_a_private_name_is_rejected(path: str, text: str) -> None:
    must_reject(named, path, text, "private name")


def test_nothing_bears_a_private_name() -> None:
    found = [
        each
        for path, text in files(".py", under=("dolphin", "traces", "verify", "certification"))
        for each in named(path, text)
    ]
    assert not found, show(found)


def test_no_private_words_where_strangers_read() -> None:
    found = [each for path, text in where_strangers_read() for each in private(path, text)]
    assert not found, show(found)
