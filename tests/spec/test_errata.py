"""What the errata page says of our models is so: each "no" of its last column, on the text."""

import inspect
import re
from pathlib import Path

import pytest

from traces.audit import tlatools
from verify.models import tlc
from verify.models.checking import SPEC_FOLDER
from verify.models.manifest import load_manifest, read_cfg
from verify.models.tla import Module, names_in, read_module, read_modules, tokens_of

MODULES = sorted(SPEC_FOLDER.glob("*.tla"))
ENABLING = r"\bENABLED\b|\bWF_|\bSF_"  # fairness asks ENABLED of its action
FORBIDDEN = r"\bLAMBDA\b|\bRandomElement\b"
REDUCTIONS = ("VIEW", "SYMMETRY", "CONSTRAINT", "CONSTRAINTS", "ACTION_CONSTRAINT")


def bare(text: str) -> str:
    """Return a module's text without its comments, layout apart."""
    return " ".join(token.text for token in tokens_of(text))


def module(path: Path) -> Module:
    return read_module(path.stem, path.read_text())


def excepted(text: str) -> set[str]:
    """Return what stands before EXCEPT: a name, or the bracket that closes anything else."""
    words = [token.text for token in tokens_of(text)]
    return {words[place - 1] for place, word in enumerate(words) if word == "EXCEPT"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_uses_what_the_page_says_none_uses(path: Path) -> None:
    text = bare(path.read_text())
    assert re.findall(FORBIDDEN, text) == []
    assert not re.search(ENABLING, text) or not re.search(r"\bINSTANCE\b", text)
    assert not re.search(ENABLING, text) or path.stem == "Release"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_except_is_of_a_variable(path: Path) -> None:
    found = read_modules(SPEC_FOLDER, [path.stem])
    variables = {name for one in found.values() for name in one.variables}
    assert excepted(path.read_text()) <= variables


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
        definitions = module(SPEC_FOLDER / f"{row.module}.tla").definitions
        for name in read.invariants:
            if name in definitions:
                assert not names_in(definitions[name]) & {"answer", "judged_by"}, name


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
