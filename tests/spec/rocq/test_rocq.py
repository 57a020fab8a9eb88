"""The Rocq proofs: complete, listed in the README, about the kernel's own constants.

What needs no coqc always runs: the README's tables, the words that take something without proof,
the tables and the constants beside the Python's. The rest compiles, and is skipped, saying so,
where coqc is absent. Each gate is also shown to fail: one way by the seed of the run, every way
with ``--campaigns=whole`` (``make check``), which compares with the Python as well.

Not here: that the proofs hold. It is the item ``rocq`` of ``dolphin verify``, asked there once.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kernel import constants, curves, fixed
from verify.rocq import check

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "spec" / "rocq"
BUILD = ROOT / "build" / "rocq"

needs_coq = pytest.mark.skipif(
    shutil.which("coqc") is None, reason="not run: coqc is not installed (Debian: coq)"
)
needs_ocaml = pytest.mark.skipif(
    shutil.which("coqc") is None or shutil.which("ocamlfind") is None,
    reason="not run: coqc or ocamlfind is not installed (Debian: coq, libzarith-ocaml-dev)",
)


def run(script: str, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) if path is None else {**os.environ, "PATH": path}
    return subprocess.run(
        [sys.executable, str(ROOT / "verify" / "rocq" / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def stated() -> set[tuple[str, str]]:
    return {
        (path.name, name)
        for path in check.sources(FOLDER)
        for name in check.statements(path.read_text())
    }


def told() -> set[tuple[str, str]]:
    """The README's rows: the file is in the heading, the name in the first cell."""
    rows = set()
    file = ""
    for line in (FOLDER / "README.md").read_text().splitlines():
        if heading := re.match(r"### (\w+\.v)", line):
            file = heading.group(1)
        elif row := re.match(r"\| `(\w+)` \| \S", line):
            rows.add((file, row.group(1)))
    return rows


def test_the_readme_lists_exactly_what_is_stated() -> None:
    assert told() == stated()
    assert len(stated()) >= 50


def test_every_statement_is_proved() -> None:
    for path in check.sources(FOLDER):
        text = path.read_text()
        assert sorted(check.statements(text)) == sorted(check.proved(text)), path.name


def test_statements_stand_above_the_proofs() -> None:
    for path in check.sources(FOLDER):
        text = check.without_comments(path.read_text())
        last = max(match.start() for match in check.STATEMENT.finditer(text))
        assert last < text.index("\nTheorem "), path.name


def test_nothing_is_admitted() -> None:
    for path in check.sources(FOLDER):
        assert check.admissions(path.name, path.read_text()) == []


@pytest.mark.parametrize(
    "word", ["Admitted.", "admit.", "Axiom a : False.", "Parameter p : nat.", "Abort."]
)
def test_what_is_admitted_is_seen(word: str) -> None:
    text = f"(* Admitted (* Axiom *) *)\nLemma a : True.\n{word}\n"
    assert [line.partition(" ")[0] for line in check.admissions("A.v", text)] == ["A.v:3:"]


def test_the_makefile_builds_every_file() -> None:
    files = re.search(r"^FILES\s*:=(.*)$", (FOLDER / "Makefile").read_text(), re.MULTILINE)
    assert files is not None
    assert sorted(files.group(1).split()) == [path.stem for path in check.sources(FOLDER)]


def rocq_table(name: str) -> tuple[tuple[int, ...], ...]:
    text = check.without_comments((FOLDER / "Exponential.v").read_text())
    body = re.search(rf"Definition {name} : list \(list Z\) :=\s*\[(.*?)\]\.", text, re.DOTALL)
    assert body is not None
    return tuple(
        tuple(int(entry) for entry in row.split(";"))
        for row in re.findall(r"\[([^\[\]]*)\]", body.group(1))
    )


@pytest.mark.parametrize("name", ["EXP_DIGITS", "DECADE_DIGITS"])
def test_the_tables_are_the_kernels(name: str) -> None:
    assert rocq_table(name) == getattr(fixed, name)


def test_the_constants_are_the_kernels() -> None:
    found = {}
    for path in check.sources(FOLDER):
        text = check.without_comments(path.read_text())
        found |= {
            name: int(value)
            for name, value in re.findall(r"^Definition ([A-Z_]+) : Z := (\d+)\.", text, re.M)
        }
    kernel = {**vars(constants), **vars(fixed), **vars(curves)}
    shared = {name: value for name, value in found.items() if name in kernel}
    assert shared == {name: kernel[name] for name in shared}
    assert set(found) - set(shared) == {"GAP"}  # the Schmitt gap's width: gates_have_a_gap
    assert len(shared) >= 15


@pytest.mark.parametrize("script", ["check.py", "compare.py"])
def test_without_coqc_it_is_not_run(script: str, tmp_path: Path) -> None:
    result = run(script, "--json", path=str(tmp_path))
    assert result.returncode == 3, result.stderr
    assert json.loads(result.stdout)["ok"] is None
    assert result.stderr.startswith("not run: ")
    assert len(result.stderr.splitlines()) == 1


def test_make_without_coqc_is_not_run(tmp_path: Path) -> None:
    for tool in ("make", "sh", "nice", "python3"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / tool).symlink_to(found)
    result = subprocess.run(
        ["make", "-C", str(FOLDER)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path)},
    )
    assert result.returncode != 0
    assert "not run: coqc is not installed" in result.stderr


SAMPLE = """From Coq Require Import ZArith Reals Lra.
From Kernel Require Import Units.
Definition grows : Prop := forall n : Z, (n < n + 1)%Z.
{before}
Theorem grows_holds : grows.
Proof. {proof}
"""


SOUND = ("", "intros n. apply Z.lt_succ_diag_r. Qed.", 0, "")
WRONG = [
    ("", "intros n. Admitted.", 1, "Sample.v:6: Admitted"),
    ("", "intros n. apply Z.le_refl. Qed.", 1, "does not compile"),
    ("Axiom cheat : False.", "destruct cheat. Qed.", 1, "rests on Sample.cheat"),
    (
        "From Coq Require Import Eqdep. Import Eqdep.Eq_rect_eq.",
        "intros n. pose proof (eq_rect_eq Z n (fun _ => Z) n eq_refl). "
        "apply Z.lt_succ_diag_r. Qed.",
        1,
        "Eq_rect_eq.eq_rect_eq",
    ),
]


@needs_coq
@pytest.mark.slow
@pytest.mark.campaign
def test_the_gate_on_a_sample(tmp_path: Path, whole: bool, rng: random.Random) -> None:
    folder = tmp_path / "rocq"
    folder.mkdir()
    for name in ("Units.v", "Makefile"):
        shutil.copy(FOLDER / name, folder / name)
    for before, proof, code, said in [SOUND, *(WRONG if whole else [rng.choice(WRONG)])]:
        (folder / "Sample.v").write_text(SAMPLE.format(before=before, proof=proof))
        place = ("--folder", str(folder), "--build", str(tmp_path / "b"))
        result = run("check.py", "--json", "--no-coqchk", *place)
        assert result.returncode == code, (proof, result.stdout + result.stderr)
        problems = json.loads(result.stdout)["problems"]
        assert any(said in line for line in problems) if said else problems == [], proof


@needs_ocaml
@pytest.mark.campaign
@pytest.mark.usefixtures("only_whole")
def test_a_sample_of_the_comparison_agrees() -> None:
    result = run("compare.py", "--json", "--sample", "300", "--draws", "200")
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads(result.stdout)
    assert document["exhaustive"] is False
    assert document["inputs"] == 9 * 300
    assert document["several_arguments"] > 5000


@needs_ocaml
@pytest.mark.campaign
@pytest.mark.usefixtures("only_whole")
def test_the_comparison_sees_a_difference(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "kernel", tree / "kernel", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(FOLDER, tree / "spec" / "rocq", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "verify" / "rocq", tree / "verify" / "rocq")
    path = tree / "kernel" / "curves.py"
    text = path.read_text()
    assert "CAPITAL_MIDDLE_PPM: Final[int] = 120_000" in text
    path.write_text(
        text.replace("MIDDLE_PPM: Final[int] = 120_000", "MIDDLE_PPM: Final[int] = 120_001")
    )
    result = subprocess.run(
        [
            sys.executable,
            str(tree / "verify" / "rocq" / "compare.py"),
            *("--json", "--sample", "50", "--draws", "5", "--build", str(BUILD)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tree,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    differences = json.loads(result.stdout)["differences"]
    assert any(line.startswith("capital(") for line in differences), differences
