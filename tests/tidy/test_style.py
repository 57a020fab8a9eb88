"""Style: the project's rules that no linter checks, or checks too late.

Rules of the check, one row of `LINE_RULES` each: a pattern, the files it holds for, what is wrong,
what to write instead. This file holds the words it looks for and is left out by name.

Beside the rows: no line over 120 columns in models, whose conjuncts stand in columns (in code ruff
holds 100), a final newline, no file over 512 kB, no module over 800 lines.

A test named `test_control…` is a negative control and may patch: it replaces a part by a worse one,
not by a stand-in.

Not here: formatting. Tables are laid out by hand.
"""

import re
from dataclasses import dataclass

import pytest

from tests.tidy.findings import ROOT, Finding, files, must_reject, show, tree

COLUMNS_MAX_MODEL = 120
MODULE_LINES_MAX = 800
FILE_BYTES_MAX = 512 * 1024
SELF = "tests/tidy/test_style.py"
LIBRARY = ("kernel/", "traces/", "dolphin/", "certification/")
# Path and reason.
HEAVY: dict[str, str] = {}


@dataclass(frozen=True)
class LineRule:
    """A line that matches `pattern` in a file that `suffixes` and `under` select is a finding."""

    pattern: str
    suffixes: tuple[str, ...]
    under: tuple[str, ...]
    what: str
    instead: str
    but_in: str = "(never)"  # functions with this prefix are left out


LINE_RULES = (
    LineRule(r"\b(TODO|FIXME|XXX|HACK)\b", (".py", ".tla", ".cfg", ".md", ".toml", "Makefile"), (),
             "leftover mark", "do it, or open an issue and cite it"),
    LineRule(r"^\s*print\(", (".py",), LIBRARY,
             "print in library code", "click.echo in the command line, a value elsewhere"),
    LineRule(r"\b(breakpoint\(\)|pdb\.set_trace)", (".py",), (),
             "debugger left in", "delete it"),
    LineRule(r"\bsleep\(", (".py",), ("tests/",),
             "sleep in a test", "poll for the condition with a deadline, or hand in a clock"),
    LineRule(r"\b(MagicMock|mock\.patch|unittest\.mock|monkeypatch\.setattr)\b",
             (".py",), ("tests/",),
             "mock", "the real part: it starts in a second. Only a `test_control…` may break it",
             but_in="test_control"),
    LineRule(r"assert\s.*\b(elapsed|duration)\w*\s*<", (".py",), ("tests/",),
             "absolute timing asserted", "a ratio of two measurements of the same run"),
    LineRule(r"^\s*except\s*:", (".py",), (),
             "bare except", "name the exception"),
    LineRule(r"#\s*type:\s*ignore(?!\[[\w-]+\]\s+#?\s*\S)", (".py",), (),
             "type: ignore without rule and reason", "# type: ignore[rule]  # why"),
    LineRule(r"#\s*noqa(?!:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\s+#?\s*\S)", (".py",), (),
             "noqa without rule and reason", "# noqa: RULE  (why)"),
    LineRule(r"#\s*pragma:\s*no (cover|branch)\s*$", (".py",), (),
             "pragma without a reason", "# pragma: no cover  (why)"),
    LineRule(r"pytest\.(skip|xfail)\(\s*\)|mark\.(skip|xfail)\s*(\(\s*\))?\s*$",
             (".py",), ("tests/",),
             "skip without a reason", "say what is absent: what was not run never passed"),
    LineRule(r"\b((pypi|pythonhosted)\.org|repo1?\.maven\.|registry\.npmjs|crates\.io)", (), (),
             "registry host", "the package's name: where it comes from is the machine's to say"),
    LineRule(r"[ \t]+$", (".py", ".tla", ".cfg", ".toml", ".txt", "Makefile"), (),
             "trailing blanks", "delete them"),
    LineRule(r"\t", (".py", ".tla", ".cfg", ".toml"), (),
             "tab", "spaces"),
)  # fmt: skip


def selects(rule: LineRule, path: str) -> bool:
    """Say whether `rule` speaks about the file at `path`."""
    return (not rule.suffixes or path.endswith(rule.suffixes)) and (
        not rule.under or path.startswith(rule.under)
    )


def style(path: str, text: str) -> list[Finding]:
    """Return every line that breaks a rule, and every file that is too wide or too long."""
    found = []
    rules = [rule for rule in LINE_RULES if selects(rule, path)]
    model = path.endswith((".tla", ".cfg"))
    lines = text.splitlines()
    function = ""
    for number, line in enumerate(lines, start=1):
        defined = re.match(r"def (\w+)", line)
        function = defined.group(1) if defined else function
        for rule in rules:
            if re.search(rule.pattern, line) and not function.startswith(rule.but_in):
                found.append(Finding(path, number, rule.what, rule.instead))
        if model and len(line) > COLUMNS_MAX_MODEL:
            what = f"{len(line)} columns, more than {COLUMNS_MAX_MODEL}"
            found.append(Finding(path, number, what, "break the line, or shorten the sentence"))
    if text and not text.endswith("\n"):
        found.append(Finding(path, len(lines), "no final newline", "end the last line"))
    if path.endswith(".py") and len(lines) > MODULE_LINES_MAX:
        what = f"module of {len(lines)} lines, more than {MODULE_LINES_MAX}"
        found.append(Finding(path, 0, what, "one noun per module: split it"))
    return found


REJECTED = [
    ("kernel/a.py", "x = 1  # TODO later\n", "leftover"),
    ("spec/tla/A.tla", "\\* FIXME\n", "leftover"),
    ("dolphin/a.py", "print(1)\n", "print"),
    ("dolphin/a.py", "    breakpoint()\n", "debugger"),
    ("tests/a.py", "time.sleep(1)\n", "sleep"),
    ("tests/a.py", "from time import sleep; sleep(1)\n", "sleep"),
    ("tests/a.py", "with mock.patch('x'):\n", "mock"),
    ("tests/a.py", "def test_control_x():\n    y\ndef test_x():\n    mock.patch('x')\n", "mock"),
    ("tests/a.py", "from unittest.mock import MagicMock\n", "mock"),
    ("tests/a.py", "    assert elapsed_s < 1.0\n", "absolute timing"),
    ("dolphin/a.py", "try:\n    x()\nexcept:\n    y()\n", "bare except"),
    ("spec/tla/A.tla", "x" * (COLUMNS_MAX_MODEL + 1) + "\n", "columns"),
    ("dolphin/a.py", "x = y  # type: ignore\n", "type: ignore"),
    ("dolphin/a.py", "x = y  # type: ignore[arg-type]\n", "type: ignore"),
    ("dolphin/a.py", "x = y  # noqa\n", "noqa"),
    ("dolphin/a.py", "x = y  # noqa: E501\n", "noqa"),
    ("dolphin/a.py", "if x:  # pragma: no cover\n", "pragma"),
    ("tests/a.py", "@pytest.mark.skip\n", "skip"),
    ("tests/a.py", "    pytest.skip()\n", "skip"),
    ("locks/core.txt", "--index-url https://" + "pypi" + ".org/simple\n", "registry host"),
    ("README.md", "see https://" + "repo1" + ".maven.org/maven2\n", "registry host"),
    ("kernel/a.py", "x = 1 \n", "trailing"),
    ("kernel/a.py", "\tx = 1\n", "tab"),
    ("kernel/a.py", "x = 1", "final newline"),
    ("kernel/a.py", "x = 1\n" * (MODULE_LINES_MAX + 1), "module of"),
]
ALLOWED = [
    ("tests/a.py", "print(1)\n"),
    ("dolphin/a.py", "time.sleep(1)\nconsole.print(1)\n"),
    ("dolphin/a.py", "x = y  # type: ignore[arg-type]  # the stub lacks the second form\n"),
    ("dolphin/a.py", "x = y  # noqa: E501  (a table, laid out by hand)\n"),
    ("dolphin/a.py", "if x:  # pragma: no cover  (needs root)\n"),
    ("tests/a.py", 'pytest.skip("no data")\n@pytest.mark.skipif(X, reason="no Java")\n'),
    ("tests/a.py", "    assert state.heartbeat_age_ms < limit_ms\n"),
    ("docs/a.md", "x" * 300 + "\n"),
    ("tests/a.py", "def test_control_x():\n    monkeypatch.setattr(curves, 'TABLE', low)\n"),
    ("spec/tla/A.tla", "x" * COLUMNS_MAX_MODEL + "\n"),
    ("kernel/__init__.py", ""),
]


@pytest.mark.parametrize(("path", "text", "what"), REJECTED)
def test_bad_style_is_rejected(path: str, text: str, what: str) -> None:
    must_reject(style, path, text, what)


@pytest.mark.parametrize("rule", LINE_RULES, ids=lambda rule: rule.what)
def test_every_rule_has_a_sample_that_it_alone_rejects(rule: LineRule) -> None:
    assert any(
        selects(rule, path) and re.search(rule.pattern, text, re.MULTILINE) and what in rule.what
        for path, text, what in REJECTED
    )


@pytest.mark.parametrize(("path", "text"), ALLOWED)
def test_good_style_passes(path: str, text: str) -> None:
    assert style(path, text) == [], show(style(path, text))


def test_the_tree_keeps_to_the_style() -> None:
    suffixes = (".py", ".tla", ".cfg", ".md", ".toml", ".txt", ".sh", "Makefile", ".xml", ".json")
    found = [each for path, text in files(*suffixes) if path != SELF for each in style(path, text)]
    assert not found, show(found)


def test_no_file_is_heavier_than_a_reader_can_carry() -> None:
    there = [path for path in tree() if (ROOT / path).is_file()]
    heavy = {path for path in there if (ROOT / path).stat().st_size > FILE_BYTES_MAX}
    surplus = sorted(heavy - HEAVY.keys())
    assert not surplus, f"over {FILE_BYTES_MAX} bytes; generate it, or excuse it: {surplus}"
    assert HEAVY.keys() <= heavy, "an excuse that is no longer needed"
