"""The item coverage: a small project, measured for real, and the report of its gaps."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from verify import coverage, level_a
from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context, Outcome
from verify.store import Store

CODE = """def allowed(size: int, limit: int, open_: bool) -> bool:
    if size > limit and not open_:
        return False
    return True
"""
HEAD = "import pytest\nfrom kernel.gate import allowed\n\n\n"
WITHIN = '@pytest.mark.req("K-1")\ndef test_within():\n    assert allowed(1, 2, False)\n\n\n'
ABOVE = '@pytest.mark.req("K-2")\ndef test_above():\n    assert not allowed(3, 2, False)\n\n\n'
OPEN = '@pytest.mark.req("K-3")\ndef test_open():\n    assert allowed(3, 2, True)\n'
CONDITION = (
    "kernel/gate.py:2: allowed: in `size > limit and (not open_)`: condition 2 of 2 `open_` "
    "never shown to decide: has it F, lacks it T with size > limit=T"
)
LISTED = """packages = ["kernel", "traces"]
[level_a]
"kernel" = "the package"
"kernel.gate" = "decides"
"traces" = "the package"
[not_level_a]
"traces.tool" = "a tool"
"""


@pytest.fixture
def house(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with one level-A module that decides, its tests, and the instrument on the path."""
    for name, text in (
        ("kernel/__init__.py", ""),
        ("kernel/gate.py", CODE),
        ("traces/__init__.py", ""),
        ("traces/tool.py", "x = 1\n"),
        ("certification/level_a.toml", LISTED),
        ("tests/kernel/test_gate.py", HEAD + WITHIN + ABOVE + OPEN),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for part in coverage.PARTS:
        for folder in part.tests:
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PYTHONPATH", str(project_root))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


def verify(house: Path, lane: str = FULL) -> Outcome:
    """Run the item over the house, without workers."""
    store = Store(house / "build" / "store")
    return coverage.run(Context(lane, house, store, lambda *_: None, jobs=0))


def rewrite(path: Path, old: str, new: str) -> None:
    """Change a file of the house."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_full_coverage_holds_and_parts_are_kept(house: Path) -> None:
    outcome = verify(house)
    assert outcome.status == HOLDS, outcome
    assert outcome.detail == (
        "2 modules: 4/4 statements, 2/2 branches, 2/2 conditions, 2/2 mcdc; 0 waived"
    )
    assert outcome.figures["mcdc"] == {"met": 2, "total": 2, "justified": 0, "text": "2/2"}
    assert (outcome.figures["gaps"], outcome.figures["left_out"]) == (0, "")
    kept = sorted((house / "build" / "store").iterdir())
    assert len(kept) == len(coverage.PARTS)
    written = [path.stat().st_mtime_ns for path in kept]
    assert verify(house) == outcome
    assert [path.stat().st_mtime_ns for path in kept] == written, "a part was run again"


def test_control_a_test_without_its_requirement_names_the_condition(house: Path) -> None:
    rewrite(house / "tests/kernel/test_gate.py", '@pytest.mark.req("K-3")\n', "")
    outcome = verify(house)
    assert outcome.status == DOES_NOT_HOLD
    assert outcome.findings == (f"{CONDITION} [reached only by: unmarked]",)


def test_control_a_random_test_shows_nothing(house: Path) -> None:
    mark = '@pytest.mark.req("K-3")\n'
    rewrite(house / "tests/kernel/test_gate.py", mark, f"@pytest.mark.random\n{mark}")
    outcome = verify(house)
    assert outcome.findings == (f"{CONDITION} [reached only by: random]",)
    assert outcome.figures["reached_only_by_random"] == 1


def test_control_a_seeded_gap_is_named(house: Path) -> None:
    rewrite(house / "kernel/gate.py", "    return True\n", "    return size < 100\n")
    outcome = verify(house)
    assert outcome.status == DOES_NOT_HOLD
    assert outcome.findings == (
        "kernel/gate.py:4: allowed: in `size < 100`: condition 1 of 1 `size < 100` always true",
    )


def test_control_a_failing_test_is_no_evidence(house: Path) -> None:
    rewrite(
        house / "tests/kernel/test_gate.py",
        "assert allowed(3, 2, True)",
        "assert not allowed(3, 2, True)",
    )
    outcome = verify(house)
    assert outcome.findings == (
        f"{CONDITION} [reached only by: failed]",
        "1 tests did not pass: what they reached is no evidence",
    )


def test_control_tests_that_cannot_be_collected_are_not_run(house: Path) -> None:
    rewrite(house / "tests/kernel/test_gate.py", "import allowed", "import nothing")
    outcome = verify(house)
    assert outcome.status == NOT_RUN
    assert outcome.detail.startswith("kernel: pytest ended with 2: ")
    assert "mcdc" not in outcome.figures
    assert list((house / "build").rglob("store/*.json")) == []


def test_control_a_module_that_nobody_listed_is_named(house: Path) -> None:
    (house / "kernel" / "new.py").write_text("x = 1\n", encoding="utf-8")
    (finding,) = verify(house).findings
    assert finding.startswith("kernel/new.py: kernel.new is in neither table")


def test_an_excuse_counts_and_an_excuse_too_many_does_not_hold(house: Path) -> None:
    rewrite(house / "tests/kernel/test_gate.py", OPEN, "")
    assert verify(house).findings == (CONDITION,)
    document, _ = coverage.report(house, [house / coverage.FOLDER / "kernel.json"])
    assert document is not None
    (gap,) = document["gaps"]
    fields = ("module", "function", "kind", "code", "item", "hash")
    lines = [f"{name} = {json.dumps(gap[name])}" for name in fields]
    folder = house / coverage.EXCUSES
    folder.mkdir()
    text = "\n".join(["[[justification]]", *lines, 'reason = "for this test"', ""])
    (folder / "kernel.toml").write_text(text, encoding="utf-8")
    excused = verify(house)
    assert (excused.status, excused.findings) == (HOLDS, ())
    assert excused.figures["mcdc"] == {"met": 1, "total": 2, "justified": 1, "text": "1/2"}
    (house / "tests/kernel/test_gate.py").write_text(HEAD + WITHIN + ABOVE + OPEN, encoding="utf-8")
    surplus = verify(house)
    assert surplus.status == DOES_NOT_HOLD
    assert "unused: the tests that count show it" in surplus.findings[0]


def test_the_fast_lane_runs_the_kernels_part_and_leaves_the_rest_not_run(house: Path) -> None:
    outcome = verify(house, FAST)
    assert outcome.status == NOT_RUN
    assert outcome.figures["left_out"] == (
        "the fast lane ran kernel alone (no build/mcdc.json; `make test` records all)"
    )
    assert list((house / coverage.FOLDER).iterdir()) == [house / coverage.FOLDER / "kernel.json"]
    rewrite(house / "tests/kernel/test_gate.py", '@pytest.mark.req("K-3")\n', "")
    assert verify(house, FAST).findings == (f"{CONDITION} [reached only by: unmarked]",)


def recorded(house: Path) -> Path:
    """What ``make test`` would have left: one run of everything."""
    path = house / coverage.RECORDED
    words = ["run", *coverage.targets(house), "--data", str(path), "--", "-m", "pytest", "-q"]
    done = coverage.mcdc(house, *words, "-p", "no:cacheprovider", "tests")
    assert path.is_file(), done.stdout + done.stderr
    return path


def test_what_make_test_recorded_is_judged_by_the_fast_lane(house: Path) -> None:
    recorded(house)
    outcome = verify(house, FAST)
    assert (outcome.status, outcome.figures["left_out"]) == (HOLDS, "")
    assert not (house / coverage.FOLDER).exists(), "it was run again"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda house: (house / "tests/kernel/test_more.py").touch(),
         "build/mcdc.json is without tests/kernel/test_more.py"),
        (lambda house: rewrite(house / "tests/kernel/test_gate.py", "\n\n\n", "\n\n\n\n"),
         "mcdc: tests/kernel/test_gate.py: changed since the run; run the tests again"),
        (lambda house: rewrite(house / coverage.RECORDED, '"kernel.gate"', '"kernel.other"'),
         "build/mcdc.json is not of kernel.gate"),
        (lambda house: (house / coverage.RECORDED).write_text("{"), "no build/mcdc.json"),
    ],
    ids=["a new test", "a changed test", "another module", "no data"],
)  # fmt: skip
def test_control_a_record_that_is_not_of_this_tree_is_not_believed(
    house: Path, spoil: Callable[[Path], object], why: str
) -> None:
    recorded(house)
    spoil(house)
    outcome = verify(house, FAST)
    assert outcome.status == NOT_RUN
    assert why in str(outcome.figures["left_out"])


def test_the_tree_is_measured_whole(project_root: Path) -> None:
    """Every level-A module is a target but packages that hold others, whose own file is empty."""
    listed = level_a.read(project_root)
    left = set(listed.modules) - set(coverage.targets(project_root))
    assert left == {"kernel", "traces"}
    for name in left:
        path = project_root.joinpath(*name.split("."), "__init__.py")
        text = path.read_text(encoding="utf-8").strip()
        assert text.startswith('"""')
        assert text.index('"""', 3) == len(text) - 3, f"{path} does more than say what it is"
    for part in coverage.PARTS:
        for folder in part.tests:
            assert (project_root / folder).is_dir()
