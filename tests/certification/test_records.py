"""Records: fresh by the hash of what was read, stale by nothing else, and never made of nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certification import record
from certification.meaning import Tree, digest, model_text
from certification.shapes import BadInput
from certification.standing import IN_PART, NONE, RECORDED, STALE, reads, standings
from tests.tidy.findings import ROOT
from verify.plan import LANES, items

INPUTS = """
[item.plain]
files = ["kernel/*.py", "spec/*.tla"]
packages = ["solver"]
pins = ["JAR"]
compared = ["edges"]

[item.exact]
exact = true
files = ["kernel/*.py"]

[item.proofs]
files = ["tool.py"]
functions = ["kernel/*.py"]

[item.mutants]
files = ["tool.py"]
waivers = "waivers.toml"
tests = ["tests/*.py"]
"""
GATE = '''"""The gate."""

from kernel.money import doubled

LIMIT = 5


def judge(order: int) -> bool:
    """Judge."""
    return doubled(order) < LIMIT  # the limit is excluded


def other() -> int:
    return 1
'''
MONEY = "def doubled(value: int) -> int:\n    return value * 2\n"
TESTS = """
from kernel.gate import judge, other


def test_judge(two):
    assert judge(two)


def test_other():
    assert other() == 1
"""
TOLD: dict[str, Any] = {
    "section": "s", "claim": "c", "lane": "full", "status": "holds", "whole": True,
    "detail": "all", "figures": {"edges": 7}, "findings": [], "seconds": 1.5,
    "ran_at": "2026-11-30T12:00:00+00:00",
}  # fmt: skip


def git(root: Path, *words: str) -> None:
    """Run git as nobody in particular."""
    name = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")
    subprocess.run(["git", "-C", str(root), *name, *words], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small project in a commit."""
    root = tmp_path / "project"
    files = {
        "certification/inputs.toml": INPUTS,
        "certification/level_a.toml": '[level_a]\n"kernel.gate" = "a"\n"kernel.money" = "b"\n',
        "kernel/gate.py": GATE,
        "kernel/money.py": MONEY,
        "spec/Gate.tla": "---- MODULE Gate ----\nA == 1 \\* one\n\n====\n",
        "tests/conftest.py": "def two():\n    return 2\n",
        "tests/test_gate.py": TESTS,
        "tool.py": "VERSION = 1\n",
        "waivers.toml": '[[equivalent]]\nhash = "ab"\n[equivalent.mutants]\n3 = "x"\n',
        "locks/dev.txt": "solver==1.0 \\\n    --hash=sha256:00\nother==1.0\n",
        "Makefile": "JAR := abc\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    git(tmp_path, "init", "-q", str(root))
    commit(root)
    return root


def commit(root: Path) -> None:
    """Commit everything."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x", "--allow-empty")


def write(root: Path, *told: dict[str, Any], of: Path | None = None) -> tuple[int, str]:
    """Record outcomes by the real command; return its exit code and what it said."""
    words = [sys.executable, "-m", "certification.recording", "--write", "--root", str(root)]
    words += ["--of", str(of)] if of else []
    given = json.dumps({"command": "x", "items": [{**TOLD, **one} for one in told]})
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


def change(root: Path, name: str, old: str, new: str) -> None:
    """Replace a text in a file that has it."""
    text = (root / name).read_text("utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new), "utf-8")


def state(root: Path, item: str) -> str:
    """Return what an item's record is worth."""
    return standings(root)[item].state


def moved_apart(root: Path) -> None:
    """Move a function, without a change, to a module of its own."""
    text = (root / "kernel/gate.py").read_text("utf-8")
    head, function = text.split("def other")
    (root / "kernel/gate.py").write_text(head, "utf-8")
    (root / "kernel/another.py").write_text("def other" + function, "utf-8")
    change(root, "tests/test_gate.py", "import judge, other", "import judge")
    change(
        root, "tests/test_gate.py", "from kernel", "from kernel.another import other\nfrom kernel"
    )


def renamed(root: Path) -> None:
    """Give a module another name, and its importer the new one."""
    (root / "kernel/money.py").rename(root / "kernel/cash.py")
    change(root, "kernel/gate.py", "kernel.money", "kernel.cash")


def touched(root: Path) -> None:
    """Give every file another time."""
    for path in root.rglob("*.*"):
        os.utime(path, (1_900_000_000, 1_900_000_000))


SAME: dict[str, Callable[[Path], None]] = {
    "times of files": touched,
    "a comment": lambda root: change(root, "kernel/gate.py", "is excluded", "is out"),
    "a docstring": lambda root: change(root, "kernel/gate.py", "Judge.", "Say."),
    "layout": lambda root: change(root, "kernel/gate.py", "LIMIT = 5", "LIMIT    =   5"),
    "a comment of a model": lambda root: change(root, "spec/Gate.tla", "one", "uno"),
    "a function that moved": moved_apart,
    "a module of another name": renamed,
    "another package": lambda root: change(root, "locks/dev.txt", "other==1.0", "other==2.0"),
}
OTHER: dict[str, Callable[[Path], None]] = {
    "a number": lambda root: change(root, "kernel/gate.py", "LIMIT = 5", "LIMIT = 6"),
    "an operator": lambda root: change(root, "kernel/gate.py", "<", "<="),
    "a model": lambda root: change(root, "spec/Gate.tla", "A == 1", "A == 2"),
    "a model's indentation": lambda root: change(root, "spec/Gate.tla", "A ==", "  A =="),
    "a model that came": lambda root: (root / "spec/New.tla").write_text("") and None,
    "the version of its package": lambda root: change(root, "locks/dev.txt", "r==1.0 ", "r==1.1 "),
    "a pin of the Makefile": lambda root: change(root, "Makefile", "abc", "abd"),
    "what a name is bound to": lambda root: (
        (root / "kernel/fake.py").write_text("def doubled(value: int) -> int:\n    return 0\n")
        and change(root, "kernel/gate.py", "kernel.money", "kernel.fake")
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_what_changes_no_meaning_leaves_a_record_fresh(what: str, tree: Path) -> None:
    assert write(tree, {"item": "plain"})[0] == 0
    SAME[what](tree)
    assert state(tree, "plain") == RECORDED


@pytest.mark.parametrize("what", OTHER)
def test_control_another_meaning_makes_a_record_stale(what: str, tree: Path) -> None:
    assert write(tree, {"item": "plain"})[0] == 0
    assert standings(tree)["plain"].holds
    OTHER[what](tree)
    found = standings(tree)["plain"]
    assert found.state == STALE
    assert not found.holds
    assert "what it reads has changed" in found.why


def test_where_comments_matter_a_comment_makes_it_stale(tree: Path) -> None:
    write(tree, {"item": "exact"})
    assert state(tree, "exact") == RECORDED
    SAME["a comment"](tree)
    assert state(tree, "exact") == STALE


def test_a_changed_function_takes_its_own_proofs_and_no_others(tree: Path) -> None:
    proved = {"proved": 1, "excused": 0}
    names = ("kernel.gate.judge", "kernel.gate.other", "kernel.money.doubled")
    write(tree, {"item": "proofs", "parts": dict.fromkeys(names, proved)})
    assert state(tree, "proofs") == RECORDED
    change(tree, "kernel/gate.py", "return 1", "return 2")
    found = standings(tree)["proofs"]
    assert (found.state, found.figures["proved"], found.figures["functions"]) == (IN_PART, 2, 3)
    change(tree, "kernel/money.py", "* 2", "* 3")
    found = standings(tree)["proofs"]
    assert found.state == STALE, "all that is left stood on what has changed"


def test_a_part_is_never_the_whole(tree: Path) -> None:
    write(tree, {"item": "proofs", "whole": False, "parts": {"kernel.gate.other": {"proved": 1}}})
    found = standings(tree)["proofs"]
    assert (found.state, found.holds) == (IN_PART, False)
    assert "1 of 3 functions" in found.why


def mutants(**changes: Any) -> dict[str, Any]:
    """Return an outcome of mutants: three of the gate's, one of the money's."""
    figures = {"total": 3, "killed": 3, "justified": 0, "survived": 0, "undecided": 0}
    by = {"tests/test_gate.py::test_judge[a]": 2, "tests/test_gate.py::test_other": 1}
    return {
        "item": "mutants", "figures": {"code": {"total": 4, "killed": 4}},
        "parts": {"kernel.gate": figures, "kernel.money": {**figures, "total": 1, "killed": 1}},
        "killers": {"kernel.gate": by, "kernel.money": {"tests/test_gate.py::test_judge": 1}},
        **changes,
    }  # fmt: skip


def test_a_kill_counts_while_its_test_is_as_it_was(tree: Path) -> None:
    write(tree, mutants())
    assert standings(tree)["mutants"].holds
    (tree / "tests/test_gate.py").rename(tree / "tests/test_else.py")
    assert standings(tree)["mutants"].holds, "a test that moved kills as before"
    change(tree, "tests/test_else.py", "other() == 1", "other() < 2")
    found = standings(tree)["mutants"]
    assert (found.state, found.figures["code"]["killed"]) == (IN_PART, 3)
    assert found.figures["code"]["undecided"] == 1
    change(tree, "tests/conftest.py", "return 2", "return 1")
    assert standings(tree)["mutants"].figures["code"]["killed"] == 0, "a fixture is of the test"


def test_a_waiver_counts_while_its_entry_is_there(tree: Path) -> None:
    told = mutants(waived={"kernel.gate": ["ab#3"]})
    told["parts"]["kernel.gate"] |= {"killed": 2, "justified": 1}
    told["killers"]["kernel.gate"] = {"tests/test_gate.py::test_judge[a]": 2}
    write(tree, told)
    assert standings(tree)["mutants"].holds
    change(tree, "waivers.toml", "3 =", "4 =")
    code = standings(tree)["mutants"].figures["code"]
    assert (code["justified"], code["undecided"]) == (0, 1)


def test_mutants_of_a_changed_module_are_undecided(tree: Path) -> None:
    write(tree, mutants())
    change(tree, "kernel/gate.py", "return 1", "return 2")
    code = standings(tree)["mutants"].figures["code"]
    assert (code["killed"], code["undecided"]) == (1, 3)


def test_a_killer_that_the_tree_has_not_is_no_witness(tree: Path) -> None:
    write(tree, mutants(killers={"kernel.gate": {"tests/test_gone.py::test_x": 3}}))
    assert standings(tree)["mutants"].figures["code"]["killed"] == 1


def test_what_is_in_no_commit_is_not_recorded(tree: Path) -> None:
    change(tree, "kernel/gate.py", "return 1", "return 2")
    code, said = write(tree, {"item": "plain"}, {"item": "proofs", "parts": {}})
    assert code == 1
    assert "plain: not recorded: in no commit as they are: kernel/gate.py" in said
    assert state(tree, "plain") == NONE
    (tree / "README.md").write_text("no input of any item")
    git(tree, "checkout", "kernel/gate.py")
    assert write(tree, {"item": "plain"})[0] == 0
    (tree / "kernel/new.py").write_text("x = 1\n")
    assert "kernel/new.py" in write(tree, {"item": "plain"})[1]


def test_control_not_run_is_never_recorded(tree: Path) -> None:
    code, said = write(tree, {"item": "plain", "status": "not run", "detail": "no coqc"})
    assert (code, state(tree, "plain")) == (1, NONE)
    assert "not run is no outcome: no coqc" in said


def test_a_part_does_not_replace_the_whole(tree: Path) -> None:
    write(tree, {"item": "plain"})
    code, said = write(tree, {"item": "plain", "whole": False})
    assert code == 1
    assert "the record of the whole still counts" in said
    assert state(tree, "plain") == RECORDED


def test_runs_of_another_checkout_are_recorded_by_its_files(tree: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    git(tmp_path, "clone", "-q", str(tree), str(there))
    assert write(tree, {"item": "plain"}, of=there)[0] == 0
    assert state(tree, "plain") == RECORDED
    change(there, "kernel/gate.py", "LIMIT = 5", "LIMIT = 6")
    commit(there)
    _, said = write(tree, {"item": "plain"}, of=there)
    assert "stale here" in said
    assert state(tree, "plain") == STALE


def test_what_does_not_hold_is_recorded_as_that(tree: Path) -> None:
    write(tree, {"item": "plain", "status": "does not hold", "findings": ["x"]})
    found = standings(tree)["plain"]
    assert (found.state, found.holds) == (RECORDED, False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"schema": 1', '"schema": 9', "field 'schema' is 9, expected 1"),
        ('"status": "holds"', '"status": "not run"', "field 'status' is 'not run'"),
        ('"whole": true', '"whole": 1', "field 'whole': expected `bool`, got `int`"),
        ('"item": "plain"', '"item": "exact"', "field 'item' is 'exact', expected 'plain'"),
        ('"parts": {}', '"parts": {', "not JSON"),
    ],
)
def test_a_record_of_another_shape_is_refused_by_field(
    old: str, new: str, said: str, tree: Path
) -> None:
    write(tree, {"item": "plain"})
    change(tree, "certification/records/plain.json", old, new)
    with pytest.raises(BadInput) as error:
        standings(tree)
    assert str(error.value).startswith("certification/records/plain.json:")
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["plane.json", "plain.json.draft", "plain.txt", "more/"])
def test_a_file_that_is_no_items_record_is_named(name: str, tree: Path) -> None:
    write(tree, {"item": "plain"})
    words = [sys.executable, "-m", "certification.recording", "--root", str(tree)]

    def told(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*words, *more], capture_output=True, text=True, check=False, cwd=ROOT
        )

    assert (told().returncode, json.loads(told("--json").stdout)["strays"]) == (0, [])
    path = tree / "certification/records" / name
    path.mkdir() if name.endswith("/") else path.write_text("{}", "utf-8")
    said = told("plain")
    assert said.returncode == 1
    shown = f"certification/records/{name.rstrip('/')}"
    assert said.stderr.startswith(f"records: {shown}: not the record of any item")
    assert json.loads(told("--json", "plain").stdout)["strays"] == [shown]


def test_a_record_reads_back_as_it_was_written(tree: Path) -> None:
    write(tree, mutants())
    path = record.file_of(tree, "mutants")
    found = record.read(path, tree)
    assert found is not None
    assert record.text_of(found) == path.read_text("utf-8")
    assert sum(line.lstrip().startswith('"kernel.') for line in path.read_text().splitlines()) == 2


def test_the_table_of_inputs_speaks_of_every_item_and_of_files_that_are_there() -> None:
    listed = reads(ROOT)
    assert set(listed) == {item.name for lane in LANES for item in items(lane)}
    empty = [
        f"item.{name}: {pattern}"
        for name, what in listed.items()
        for pattern in what.every
        if not any(ROOT.glob(pattern))
    ]
    assert not empty, f"certification/inputs.toml: no file matches {', '.join(empty)}"


def test_the_hash_is_of_a_writing_of_ours_and_does_not_hang_on_pythons(tree: Path) -> None:
    # Pinned: a version of Python that reads the same tree must give the same hash. 3.12 and 3.13
    # differ on the f-string.
    (tree / "kernel/page.py").write_text("def row(n):\n    return f'{n:{5}} x'\n", "utf-8")
    assert digest(Tree(tree), ("kernel/*.py",)) == (
        "7ee5d192a726673721a59aab21dff2381a4b4327e57349283c683379d39eca1a"
    )


def test_a_models_comments_go_and_its_columns_stay() -> None:
    text = "A ==  (* one\n   two *)\n   /\\ B \\* c\n\n   /\\ C\n"
    assert model_text(text) == "A ==\n   /\\ B\n   /\\ C"
