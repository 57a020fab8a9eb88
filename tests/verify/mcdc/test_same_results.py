"""Instrumented code does what plain code does: values, order of evaluation, errors, tracebacks.

Rules of this file:

*   Each program runs twice, plain and instrumented, in fresh modules of one name. What it logged,
    what its names hold and the text of an uncaught error, lines and carets included, must agree.
*   Programs come from `corpus.py`, from hypothesis (random expressions in every place where one can
    stand, over operands that note each question for their truth), and from Python's own library:
    instrumented copies must pass their own doctests.
*   The kernel itself: seeded random sessions give the same states, plain and instrumented.
*   Where the value of an inner `a or b` is at once the operand of a test, the language asks `a`
    twice for its truth; CPython's compiler sometimes makes one question of the two, instrumented
    code at other places. So an immediately repeated question counts as one.
*   Carets: where a truth raises under `not`, plain CPython underlines the `not` as well. Random
    expressions are compared without carets, the corpus with them.
*   Control: an instrument that asks where Python does not is caught.

Not here: whether what was recorded is right (`test_gaps.py`).
"""

import builtins
import doctest
import importlib
import importlib.util
import linecache
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.verify.mcdc.corpus import LOUD, PROGRAMS, SOURCES, TOO_DEEP
from verify.mcdc import report
from verify.mcdc.runtime import BadInput, Data, Recorder, source_hash

FILE = "sample.py"


def plain(source: str) -> CodeType:
    return compile(source, FILE, "exec", dont_inherit=True)


def instrumented(source: str) -> CodeType:
    with Recorder([]) as recorder:
        return recorder.compile("sample", source.encode(), FILE)


def run(source: str, compiled: Callable[[str], CodeType]) -> tuple[list[str], str]:
    """Return what a program logged and how it ended."""
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    module = ModuleType("sample")
    module.__file__ = FILE
    sys.modules["sample"] = module
    ending = "done"
    with Recorder([]) as recorder:
        code = (
            recorder.compile("sample", source.encode(), FILE)
            if compiled is instrumented
            else compiled(source)
        )
        try:
            exec(code, vars(module))
        except Exception as error:  # noqa: BLE001  # whatever it is, both must raise it
            ending = "".join(traceback.format_exception(error.with_traceback(after(error))))
        finally:
            del sys.modules["sample"]
    return [repr(each) for each in vars(module).get("log", ())], ending


def once(log: list[str]) -> list[str]:
    """Drop what only repeats a question for a truth."""
    pairs = zip(log, ["", *log], strict=False)
    return [each for each, before in pairs if not (each == before and each.startswith("'bool"))]


def check(source: str, carets: bool = True) -> tuple[list[str], str]:
    """Assert that the two runs agree; return what the plain one did."""
    (log, ending), (log_again, ending_again) = run(source, plain), run(source, instrumented)
    if not carets:
        ending, ending_again = (re.sub(r"\n *[~^]+", "", text) for text in (ending, ending_again))
    assert (once(log_again), ending_again) == (once(log), ending)
    return log, ending


def after(error: Exception) -> TracebackType | None:
    """Drop the frame of this file."""
    assert error.__traceback__ is not None
    return error.__traceback__.tb_next


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_the_same(name: str) -> None:
    source = PROGRAMS[name]
    log, ending = check(source)
    assert log, "a program that logs nothing shows nothing"
    if name.startswith(("an error", "truth that raises")):
        assert "Traceback" in ending
    else:
        assert ending == "done", ending


def test_a_source_of_any_spelling_does_the_same_and_has_its_lines(tmp_path: Path) -> None:
    for name, source in (SOURCES | TOO_DEEP).items():
        expected: dict[str, Any] = {}
        exec(compile(source, FILE, "exec", dont_inherit=True), expected)
        with Recorder([]) as recorder:
            found: dict[str, Any] = {}
            exec(recorder.compile("sample", source, FILE), found)
        assert found["log"] == expected["log"], name
        assert bool(recorder.places) == (name in SOURCES), name
        path = tmp_path / "sample.py"
        path.write_bytes(source)
        data = Data({"sample": str(path)}, {"sample": source_hash(source)}, tests={"program": 1})
        data.hits["sample"] = {"program": recorder.codes}
        if name == "not not not":
            with pytest.raises(BadInput, match="nested too deeply to be measured"):
                report.build(data, "all")
            continue
        judged = report.build(data, "all")
        line = expected["f"].__code__.co_firstlineno
        body = [each for each in judged.obligations if each.function == "f"]
        assert {each.line for each in body} == {line + 1}, name
        gaps = [each.words for each in judged.gaps if each.function == "f"]
        assert len(gaps) == (1 if name in SOURCES else 4), (name, gaps)
        assert f"<td class=n>{line}<td><pre>def f(a, b):</pre>" in report.page(judged), name


# --- random expressions ---------------------------------------------------------------------------

TRUTHS = ["True", "False", "None"]
ATOMS = ["1", "0", "True", "False", "[]", '"s"', "None", "(0,)", "not_there"]
SHAPES = [
    "({} and {})", "({} or {})", "({} or {} or {})", "({} and {} and {})", "(not {})",
    "({} < {} < {})", "({} is {})", "({} in [{}])", "({} if {} else {})", "bool({})",
    "(lambda: {})()", "(w := {})", "[1 for _ in (1, 2) if {} or {}]", "({} and {} or {})",
]  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw an expression over loud operands."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        if draw(st.booleans()):
            return draw(st.sampled_from(ATOMS))
        return f'L("{draw(st.sampled_from("abc"))}", {draw(st.sampled_from(TRUTHS))})'
    shape = draw(st.sampled_from(SHAPES))
    return shape.format(*(draw(expressions(depth - 1)) for _ in range(shape.count("{}"))))


PLACES = [
    "log.append({e})",
    "def f():\n    return {e}\nlog.append(f())",
    "def f() -> bool:\n    return {e}\nlog.append(f())",
    "def f():\n    x: bool = {e}\n    return x, {e}\nlog.append(f())",
    "if {e}:\n    log.append(1)\nelif {e}:\n    log.append(2)\nelse:\n    log.append(3)",
    "n = 3\nwhile n and {e}:\n    n -= 1\nlog.append(n)",
    "def f():\n    assert {e}, {e}\nf()",
    "f = lambda x={e}: {e}\nlog.append(f())",
    "log.append([{e} for i in range(2) if {e}])",
    "log.append(list({e} for i in range(2) for j in ([1] if {e} else [2]) if {e}))",
    "def f():\n    return {{k: {e} for k in range(2) if {e} and k}}\nlog.append(f())",
    "class C:\n    x = {e}\n    y = [{e} for _ in range(2)]\nlog.append((C.x, C.y))",
    "def f():\n    class C:\n        if {e}:\n            x = {e}\n    return vars(C).get('x')\n"
    "log.append(f())",
    "match 1:\n    case 2 if {e}: log.append(2)\n    case x if {e}: log.append(x)",
    "def f():\n    yield {e}\n    yield (yield 1) or {e}\nlog.append(list(f()))",
    "log.append(f'{{{e}}}')",
]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@given(expressions(), st.sampled_from(PLACES))
def test_an_expression_does_the_same_in_every_place(expression: str, place: str) -> None:
    source = LOUD + place.format(e=expression)
    try:
        plain(source)
    except SyntaxError:
        assume(False)
    check(source, carets=False)


def test_control_a_truth_python_does_not_ask_for_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a probe that asks for the truth itself, the log differs."""
    source = LOUD + 'log.append(L("a") or L("b") < L("c"))\nlog.append(L("a") and L("b"))\n'
    check(source)
    monkeypatch.setattr("verify.mcdc.runtime.quiet_truth", bool)
    with pytest.raises(AssertionError):
        check(source)


# --- Python's own library -------------------------------------------------------------------------

LIBRARY = ["bisect", "difflib", "fractions", "heapq", "random", "statistics", "textwrap", "shlex"]
COMPILED = [
    "_pydecimal", "_pyio", "argparse", "ast", "configparser", "csv", "dataclasses", "datetime",
    "enum", "functools", "inspect", "ipaddress", "locale", "pathlib", "pickle", "subprocess",
    "tarfile", "threading", "tokenize", "typing", "zipfile",
]  # fmt: skip


def copy_of(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a module of the library, instrumented, under another name."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    module = ModuleType(f"instrumented_{name}")
    module.__file__ = spec.origin
    monkeypatch.setitem(sys.modules, module.__name__, module)
    recorder = Recorder([])
    # The probes stay: the doctests run after this function.
    for probe, function in recorder.probes().items():
        monkeypatch.setitem(vars(builtins), probe, function)
    code = recorder.compile(module.__name__, Path(spec.origin).read_bytes(), spec.origin)
    exec(code, vars(module))
    assert recorder.codes
    return module


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_passes_its_own_doctests(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = importlib.import_module(name)
    expected = doctest.testmod(original, verbose=False)
    found = doctest.testmod(copy_of(name, monkeypatch), verbose=False)
    assert found == expected


def test_some_doctests_were_run() -> None:
    assert sum(doctest.testmod(importlib.import_module(n)).attempted for n in LIBRARY) > 100


@pytest.mark.parametrize("name", COMPILED)
def test_any_source_can_be_instrumented(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    assert instrumented(source).co_name == "<module>"


# --- the kernel -----------------------------------------------------------------------------------

SESSIONS = """
import hashlib
from kernel.constants import Posture, Profile
from tests.kernel.sessions import random_events, until
digest = hashlib.sha256()
for seed, profile in enumerate(Profile):
    for step in random_events(seed, 300, until(Posture.STALKER, profile=profile)):
        digest.update(repr(step).encode())
print(digest.hexdigest())
"""


def test_the_kernel_does_the_same(tmp_path: Path, project_root: Path) -> None:
    script, data = tmp_path / "sessions.py", tmp_path / "mcdc.json"
    script.write_text(SESSIONS, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(project_root)}
    words = ["-m", "verify.mcdc", "run", "kernel", "--data", str(data), "--", str(script)]
    digests = [
        subprocess.run(
            [sys.executable, *each],
            cwd=project_root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for each in ([str(script)], words)
    ]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 65
    assert Data.read(data).hits["kernel.step"]["program"], "nothing was recorded: it ran plain"
