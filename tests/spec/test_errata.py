"""What the errata page says of our models is so: each "no" of its last column, on the text."""

import inspect
import re
from pathlib import Path

import pytest

from traces.audit import tlatools
from verify.models import tlc
from verify.models.checking import SPEC_FOLDER
from verify.models.manifest import load_manifest, read_cfg

MODULES = sorted(SPEC_FOLDER.glob("*.tla"))
ENABLING = r"\bENABLED\b|\bWF_|\bSF_"  # fairness asks ENABLED of its action
FORBIDDEN = r"\bLAMBDA\b|\bRandomElement\b"
REDUCTIONS = ("VIEW", "SYMMETRY", "CONSTRAINT", "CONSTRAINTS", "ACTION_CONSTRAINT")


def bare(text: str) -> str:
    """Return a module's text without its comments."""
    text = re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)
    return re.sub(r"\\\*[^\n]*", "", text)


def excepted(text: str) -> set[str]:
    """Return what stands before EXCEPT: a name, or the bracket that closes anything else."""
    return set(re.findall(r"(\w+|[\]\)])\s+EXCEPT\b", text))


def definition(text: str, name: str) -> str:
    match = re.search(rf"(?ms)^{name}(?:\([^)]*\))? ==.*?(?=^\w[\w!]*(?:\([^)]*\))? ==|\Z)", text)
    assert match is not None, name
    return match.group(0)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_uses_what_the_page_says_none_uses(path: Path) -> None:
    text = bare(path.read_text())
    assert re.findall(FORBIDDEN, text) == []
    assert not re.search(ENABLING, text) or not re.search(r"\bINSTANCE\b", text)
    assert not re.search(ENABLING, text) or path.stem == "Release"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_except_is_of_a_variable(path: Path) -> None:
    text = bare(path.read_text())
    variables = set(
        re.findall(r"\w+", " ".join(re.findall(r"VARIABLES?((?:\s*\w+\s*,)*\s*\w+)", text)))
    )
    extended = re.findall(r"EXTENDS ([\w, ]+)", text)
    for name in re.findall(r"\w+", " ".join(extended)):
        other = SPEC_FOLDER / f"{name}.tla"
        if other.is_file():
            found = re.findall(r"VARIABLES?((?:\s*\w+\s*,)*\s*\w+)", bare(other.read_text()))
            variables |= set(re.findall(r"\w+", " ".join(found)))
    assert excepted(text) <= variables


def test_liveness_is_asked_of_the_whole_graph() -> None:
    rows = [row for row in load_manifest(SPEC_FOLDER) if row.mode == "liveness"]
    assert rows
    for row in rows:
        read = read_cfg((SPEC_FOLDER / row.cfg).read_text())
        assert not set(REDUCTIONS) & read.other.keys(), row.name


def test_no_invariant_reads_what_a_view_hides() -> None:
    for row in load_manifest(SPEC_FOLDER):
        read = read_cfg((SPEC_FOLDER / row.cfg).read_text())
        if "VIEW" not in read.other or row.control:
            continue
        text = bare((SPEC_FOLDER / f"{row.module}.tla").read_text())
        for name in read.invariants:
            if re.search(rf"(?m)^{name} ==", text):
                assert not re.search(r"\banswer\b|\bjudged_by\b", definition(text, name)), name


def test_the_windows_of_the_composed_kernel_are_not_reduced() -> None:
    for row in load_manifest(SPEC_FOLDER):
        if row.module in ("MCKernel", "MCInductive", "MCLive"):
            read = read_cfg((SPEC_FOLDER / row.cfg).read_text())
            assert not {"VIEW", "SYMMETRY"} & read.other.keys(), row.name


def test_tlc_is_run_with_one_worker_and_no_flag_that_hides() -> None:
    given = tlatools.tlc(Path("M.tla"), Path("M.cfg"), Path("scratch"))
    assert given[given.index("-workers") + 1] == "1"
    source = inspect.getsource(tlc.run_tlc) + inspect.getsource(tlatools)
    assert '"-lncheck", "final"' in source
    for flag in ("-continue", "-dfid", "-simulate"):
        assert flag not in source


def test_success_with_states_on_the_queue_is_no_success() -> None:
    def message(code: int, body: str) -> str:
        return f"@!@!@STARTMSG {code}:0 @!@!@\n{body}\n@!@!@ENDMSG {code} @!@!@\n"

    def said(left: int) -> str:
        text = message(tlc.SUCCESS, "Model checking completed. No error has been found.")
        return text + message(
            tlc.STATS, f"9 states generated, 3 distinct states found, {left} states left on queue."
        )

    assert tlc.read_output(said(0), (), 1.0).result == "success"
    assert tlc.read_output(said(1), (), 1.0).result == "error"


def test_control_an_except_of_an_expression_is_seen() -> None:
    assert excepted("x' = [x EXCEPT ![1] = 2]") == {"x"}
    assert excepted("x' = [[w \\in W |-> 0] EXCEPT ![1] = 2]") == {"]"}
    assert excepted("x' = [f(1) EXCEPT ![1] = 2]") == {")"}
