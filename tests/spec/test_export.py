"""`--export-test`: a control's counterexample becomes a pytest that the code passes, and that goes
red when the guard is taken out of the code.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dolphin.commands.check import command
from verify.models.checking import SPEC_FOLDER
from verify.models.controls import load_controls, row_of
from verify.models.export import why_not
from verify.models.manifest import Row, load_manifest, save_manifest

ROOT = SPEC_FOLDER.parents[1]

# One worker's instrument claimed by another: the guard in the code is ``owner_of`` in the gate.
GOOD = """\\* module: MCKernel
CONSTANT profile = "bible"
INVARIANT OneWorkerPerInstrument
PROPERTY HealthLeadsToApex
"""
CONTROLS = r"""
[[edits.owner]]
at = "Gate!ClaimInstrumentVerdict"
old = 'i # 0 /\ \E v \in Workers \ {w} : instrument[v] = i'
new = 'FALSE'
[[edits.outside]]
at = "MCKernel!Accepting"
old = 'RequestRearm'
new = 'FALSE'

[controls]
BadOwner = { of = "Good", edits = ["owner"], violates = "OneWorkerPerInstrument", why = "" }
BadOther = { of = "Good", edits = ["owner"], violates = "HealthLeadsToApex", why = "" }
BadOutside = { of = "Good", edits = ["outside"], violates = "OneWorkerPerInstrument", why = "" }
"""
WITHOUT_THE_GUARD = """
import kernel.gate
kernel.gate.owner_of = lambda gate, instrument: -1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules, with one control."""
    place = tmp_path_factory.mktemp("export")
    for path in SPEC_FOLDER.glob("*.tla"):
        shutil.copy(path, place)
    (place / "Good.cfg").write_text(GOOD)
    (place / "controls.toml").write_text(CONTROLS)
    good = Row("Good", "MCKernel", "Good.cfg", "safety", "fast", "success", False)
    controls = load_controls(place).values()
    rows = [good, *(row_of(control, good) for control in controls)]
    save_manifest(place, rows)
    return place


def check(folder: Path, *arguments: str):
    return CliRunner().invoke(command, ["--folder", str(folder), *arguments])


def run_pytest(test: Path, extra: str = "") -> subprocess.CompletedProcess[str]:
    (test.parent / "conftest.py").write_text(extra)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir",
         str(test.parent), str(test)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_code_passes_and_fails_without_its_guard(folder: Path, tmp_path: Path) -> None:
    test = tmp_path / "test_counterexample.py"
    result = check(folder, "--export-test", str(test), "BadOwner")
    assert result.exit_code == 0, result.output
    assert "OneWorkerPerInstrument" in result.stderr
    assert "ClaimInstrument(" in result.stderr
    assert "ClaimInstrument(worker=" in test.read_text()
    kept = run_pytest(test)
    assert kept.returncode == 0, kept.stdout
    gone = run_pytest(test, WITHOUT_THE_GUARD)
    assert gone.returncode == 1
    assert "broke OneWorkerPerInstrument" in gone.stdout


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("BadOther", "HealthLeadsToApex: no function of that name in kernel/invariants.py"),
        ("BadOutside", "it edits MCKernel!Accepting, which is no part of Kernel.tla"),
        ("Good", "Good: expected to succeed, so there is no counterexample"),
    ],
)
def test_what_cannot_be_exported_says_why(
    folder: Path, tmp_path: Path, name: str, sentence: str
) -> None:
    test = tmp_path / "test_none.py"
    result = check(folder, "--export-test", str(test), name)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not test.exists()


def test_every_control_has_a_test_to_search_or_says_why_not() -> None:
    controls = [row for row in load_manifest(SPEC_FOLDER) if row.control]
    said = {row.name: why_not(SPEC_FOLDER, row) for row in controls}
    assert all(why.startswith(f"{name}: ") for name, why in said.items() if why)
    assert not any("\n" in why for why in said.values())
    searched = {name for name, why in said.items() if not why}
    assert {"BadGateClaimOwner", "BadKillSwitchRearmCooling", "BadKernelTripFence"} <= searched
    assert {"BadTraderKill", "BadLiveKillConfirm", "BadInductiveFlatten"}.isdisjoint(searched)


def test_a_file_that_is_there_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    test = tmp_path / "test_mine.py"
    test.write_text("mine")
    result = check(folder, "--export-test", str(test), "BadOwner")
    assert result.exit_code == 2
    assert f"{test}: is there already and is not replaced" in result.stderr
    assert test.read_text() == "mine"


def test_one_model_is_exported_at_a_time(folder: Path, tmp_path: Path) -> None:
    assert check(folder, "--export-test", str(tmp_path / "t.py")).exit_code == 2
