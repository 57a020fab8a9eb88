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
from verify.models.export import property_function
from verify.models.manifest import ManifestError, Row, save_manifest

ROOT = SPEC_FOLDER.parents[1]

# One worker's instrument claimed by another: the guard in the code is ``owner_of`` in the gate.
CONTROL = """\\* expected: OneWorkerPerInstrument
\\* module: MCKernel
CONSTANTS
    Off = {"claim_owner"}
    profile = "bible"
INVARIANT OneWorkerPerInstrument
"""
OWNED = "OneWorkerPerInstrument"
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
    (place / "BadOwner.cfg").write_text(CONTROL)
    (place / "Good.cfg").write_text(CONTROL)
    rows = [
        Row("BadOwner", "MCKernel", "BadOwner.cfg", "safety", "fast", OWNED, False),
        Row("BadOther", "MCKernel", "BadOwner.cfg", "safety", "fast", "HealthLeadsToApex", False),
        Row("Good", "MCKernel", "Good.cfg", "safety", "fast", "success", False),
    ]  # fmt: skip
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


def test_a_property_without_a_function_cannot_be_exported(folder: Path, tmp_path: Path) -> None:
    test = tmp_path / "test_none.py"
    result = check(folder, "--export-test", str(test), "BadOther")
    assert result.exit_code == 2
    assert "HealthLeadsToApex: no function of that name in kernel/invariants.py" in result.stderr
    assert not test.exists()
    assert property_function("FastAttack") == "kernel.promises"
    with pytest.raises(ManifestError):
        property_function("Inv2")


def test_a_model_that_holds_has_nothing_to_export(folder: Path, tmp_path: Path) -> None:
    result = check(folder, "--export-test", str(tmp_path / "test_none.py"), "Good")
    assert result.exit_code == 2
    assert "Good: expected to succeed" in result.stderr
    assert check(folder, "--export-test", str(tmp_path / "t.py")).exit_code == 2
