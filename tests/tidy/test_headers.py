"""Every module says at its head what its rules are, and a kernel file can be read in one sitting.

Rules of the check:

*   Modules begin with a docstring. In `kernel/` and `traces/`, which judge, it has at least five
    lines: the rules of the file, the theory, what is not here, the spec module. Elsewhere a module
    that does one plain thing may say it in one. An `__init__.py` may be shorter, or empty.
*   Files of `kernel/` have 20 to 320 lines. Below, a file is not worth its place in the reading
    order; above, it holds two nouns. (design 10 says 80 to 300. The bounds are looser by
    what a file of one type or one table is shorter, and a few contracts are longer.)
*   An exception is made by name in `EXCUSED`, with its reason, and dies with the reason: an excuse
    that is no longer needed fails as well.

Not here: what the header should say. A test cannot read.
"""

import ast

import pytest

from tests.tidy.findings import ROOT, Finding, files, must_reject, over, show

HEADER_LINES_MIN = 5
JUDGES = ("kernel/", "traces/")
KERNEL_LINES_MIN = 20
KERNEL_LINES_MAX = 320
EXCUSED: dict[str, str] = {}


def header(path: str, text: str) -> list[Finding]:
    """Return a finding where the module's docstring is missing or shorter than it should be."""
    docstring = ast.get_docstring(ast.parse(text)) or ""
    lines = len(docstring.splitlines())
    short = path.endswith("__init__.py") or not path.startswith(JUDGES)
    if lines >= (1 if short else HEADER_LINES_MIN) or (path.endswith("__init__.py") and not text):
        return []
    return [
        Finding(
            path, 1, f"module header of {lines} lines",
            f"a docstring of {HEADER_LINES_MIN} to 30 lines: rules of this file, theory, "
            "what is not here, spec module",
        )
    ]  # fmt: skip


def length(path: str, text: str) -> list[Finding]:
    """Return a finding where a kernel file is too short or too long."""
    lines = len(text.splitlines())
    if path.endswith("__init__.py") or KERNEL_LINES_MIN <= lines <= KERNEL_LINES_MAX:
        return []
    what = f"{lines} lines, outside {KERNEL_LINES_MIN} to {KERNEL_LINES_MAX}"
    remedy = "one noun per file: split it, or join it to the file it belongs to"
    return [Finding(path, 0, what, remedy)]


LONG = '"""' + "rule\n" * 6 + '"""\n'


@pytest.mark.parametrize("text", ["x = 1\n", '"""One line."""\n', '"""a\nb\nc\nd\n"""\n', ""])
def test_a_missing_header_is_rejected(text: str) -> None:
    must_reject(header, "kernel/sample.py", text, "module header")


def test_a_header_passes() -> None:
    assert header("kernel/sample.py", LONG) == []
    assert header("kernel/__init__.py", '"""One line."""\n') == []
    assert header("kernel/__init__.py", "") == []
    assert header("dolphin/sample.py", '"""One line."""\n') == []


def test_a_module_of_dolphin_says_something_too() -> None:
    must_reject(header, "dolphin/sample.py", "x = 1\n", "module header")


@pytest.mark.parametrize("lines", [0, KERNEL_LINES_MIN - 1, KERNEL_LINES_MAX + 1])
def test_a_length_outside_the_bounds_is_rejected(lines: int) -> None:
    must_reject(length, "kernel/sample.py", "x\n" * lines, f"{lines} lines")


@pytest.mark.parametrize("lines", [KERNEL_LINES_MIN, KERNEL_LINES_MAX])
def test_a_length_at_the_bounds_passes(lines: int) -> None:
    assert length("kernel/sample.py", "x\n" * lines) == []


def test_every_module_has_a_header() -> None:
    found = over(header, ".py", under=("kernel", "traces", "dolphin", "verify", "certification"))
    assert not found, show(found)


def test_kernel_files_can_be_read_in_one_sitting() -> None:
    assert list(files(".py", under=("kernel",))), "the kernel was not found"
    found = [each for each in over(length, ".py", under=("kernel",)) if each.path not in EXCUSED]
    assert not found, show(found)


def test_every_excuse_is_still_needed() -> None:
    for path in EXCUSED:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert length(path, text), f"{path} is within the bounds now: delete its excuse"
