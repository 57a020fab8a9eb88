"""Waivers: an argument holds for one text only, and never for a mutant that is killed."""

import ast
import random
from dataclasses import replace
from pathlib import Path

import pytest

from verify import level_a
from verify.item import DOES_NOT_HOLD, HOLDS, NOT_RUN, Outcome
from verify.mutation.code import JUSTIFIED, groups, main, of_group, outcome
from verify.mutation.code_mutants import Mutant, hash_of
from verify.mutation.code_run import Group, Result
from verify.mutation.code_waivers import Entry, Malformed, judged, read

ROOT = Path(__file__).resolve().parents[3]
MUTANT = Mutant(
    id="m.larger#1", path="m.py", function="larger", function_hash="0123456789abcdef", line=3,
    statement=(3, 3), operator="swap_op", original=">= b", mutated="> b", mutated_source="",
    at_import=False,
)  # fmt: skip
ENTRY = Entry(
    "m.larger",
    "0123456789abcdef",
    {"m.larger#1": ">= b → > b"},
    "Where the two are equal, either is the larger one.",
)
SURVIVED = Result("m.larger#1", "survived", tests=4)
KILLED = Result("m.larger#1", "killed", how="test", by="t.py::test_larger", tests=1)


def look(entry: Entry, result: Result) -> Outcome:
    """The outcome of one mutant and one entry."""
    mutants, results = {MUTANT.id: MUTANT}, {MUTANT.id: result}
    excused, findings = judged([entry], mutants, results)
    return outcome(mutants, results, excused, findings)


def test_a_justified_survivor_is_no_finding() -> None:
    out = look(ENTRY, SURVIVED)
    assert (out.status, out.findings) == (HOLDS, ())
    code = out.figures["code"]
    assert isinstance(code, dict)
    assert (code["total"], code["killed"], code["justified"], code["survived"]) == (1, 0, 1, 0)


REJECTED = [
    ("another hash", {"hash": "fedcba9876543210"}, SURVIVED, "bound to the hash"),
    ("another change", {"mutants": {"m.larger#1": ">= b → < b"}}, SURVIVED, "is about"),
    ("no such mutant", {"mutants": {"m.larger#9": ">= b → > b"}}, SURVIVED, "no such mutant"),
    ("no argument", {"argument": "equivalent"}, SURVIVED, "has no argument"),
    ("killed all the same", {}, KILLED, "is killed by t.py::test_larger"),
]


@pytest.mark.parametrize(
    ("changes", "result", "said"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED]
)
def test_control_a_justification_that_does_not_fit_is_refused(
    changes: dict[str, object], result: Result, said: str
) -> None:
    out = look(replace(ENTRY, **changes), result)  # type: ignore[arg-type]  # by name
    assert out.status == DOES_NOT_HOLD
    assert any(said in finding for finding in out.findings)


def test_control_named_twice() -> None:
    _, findings = judged([ENTRY, ENTRY], {MUTANT.id: MUTANT}, {MUTANT.id: SURVIVED})
    assert findings == ["m.larger#1: is waived twice"]


def test_a_survivor_is_named_with_file_line_and_change() -> None:
    out = outcome({MUTANT.id: MUTANT}, {MUTANT.id: SURVIVED}, {}, [])
    assert out.status == DOES_NOT_HOLD
    assert out.findings == ("m.py:3: m.larger#1 survived 4 tests: >= b → > b",)


@pytest.mark.parametrize("status", ["error", "undecided", None])
def test_control_no_verdict_is_never_a_kill_and_never_excused(status: str | None) -> None:
    results = {} if status is None else {MUTANT.id: Result(MUTANT.id, status, text="broke")}
    excused, findings = judged([ENTRY], {MUTANT.id: MUTANT}, results)
    out = outcome({MUTANT.id: MUTANT}, results, excused, findings)
    assert out.status == NOT_RUN
    code = out.figures["code"]
    assert isinstance(code, dict)
    assert (code["killed"], code["justified"], code["undecided"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("equivalent = [", "no TOML"),
        ("[[excused]]\n", r"expected tables \[\[equivalent\]\]"),
        ('[[equivalent]]\nfunction = "f"\n', "expected exactly the fields"),
        ('[[equivalent]]\nfunction = "f"\nhash = "0"\nargument = "a"\nmutants = []\n', "a table"),
        (
            '[[equivalent]]\nfunction = "f"\nhash = 0\nargument = "a"\nmutants = {1 = "x"}\n',
            "expected texts",
        ),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "code_waivers.toml"
    file.write_text(text)
    with pytest.raises(Malformed, match=said):
        read(file)


def test_control_mutants_that_there_are_not_are_bad_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def size(group: Group) -> int:
        files = {path for pattern in group.files for path in ROOT.glob(pattern)}
        return sum(path.stat().st_size for path in files)

    smallest = min(groups(ROOT), key=size)
    assert main(["--group", smallest.name, "--only", "nothing"]) == 2
    assert capsys.readouterr().err == "--only nothing: no mutant's id begins so\n"


def source_of(entry: Entry) -> Path:
    """The file that an entry's function is in."""
    words = entry.function.split(".")
    files = (ROOT.joinpath(*words[:end]).with_suffix(".py") for end in range(len(words), 0, -1))
    return next(file for file in files if file.is_file())


@pytest.mark.campaign
def test_what_is_justified_fits_the_code(whole: bool, rng: random.Random) -> None:
    """Without running a mutant: every entry's function and hash are of today's code, and the
    changes too, by a sample of the files."""
    entries = read(JUSTIFIED)
    files = sorted({source_of(each) for each in entries})
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        inner = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        hashes = {hash_of(node) for node in (*tree.body, *inner)}
        named = {each.function: each.hash for each in entries if source_of(each) == file}
        assert not [name for name, digest in named.items() if digest not in hashes]
    taken = files if whole else rng.sample(files, 4)
    entries = [each for each in entries if source_of(each) in taken]
    functions = {each.function for each in entries}
    mutants = {
        mutant.id: mutant for group in groups(ROOT) for mutant in of_group(ROOT, group, functions)
    }
    excused, findings = judged(entries, mutants, {})
    assert findings == []
    assert len(excused) == sum(len(each.mutants) for each in entries)


def test_the_groups_are_level_a_whole() -> None:
    """Each module of the list is mutated, in one group."""
    files = [path for group in groups(ROOT) for path in group.files]
    named = [".".join(Path(path).with_suffix("").parts).removesuffix(".__init__") for path in files]
    assert sorted(named) == sorted(level_a.read(ROOT).modules)
