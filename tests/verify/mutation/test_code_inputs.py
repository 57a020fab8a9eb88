"""What the outcome of a test depends on: its own files and the code, no other test.

Not here: the verdicts that are kept under it (``test_code_run.py``).
"""

from pathlib import Path

import pytest

from verify.mutation.code_inputs import Inputs

FILES = {
    "pack/code.py": "X = 1\n",
    "tests/samples.py": "def sample(): return 1\n",
    "tests/test_alone.py": "from pack.code import X\n",
    "tests/test_one.py": "from tests.test_base import made\n",
    "tests/test_base.py": "text = 'from tests.deep.test_far import f'\n",
    "tests/deep/test_far.py": "def f(): pass\n",
}
PATTERNS = ("pack/*.py", "tests/*.py")


def hashes(root: Path, **changed: str) -> dict[str, str]:
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + changed.get(path.stem, ""), encoding="utf-8")
    inputs = Inputs(root, PATTERNS)
    return {name: inputs.of(f"tests/{name}.py::test_x[1]") for name in ("test_alone", "test_one")}


@pytest.mark.parametrize(
    ("file", "alone", "one"),
    [
        ("code", True, True),
        ("samples", True, True),
        ("test_alone", True, False),
        ("test_one", False, True),
        ("test_base", False, True),
        ("test_far", False, True),
    ],
)
def test_a_change_reaches_whom_it_can_reach(
    tmp_path: Path, file: str, alone: bool, one: bool
) -> None:
    before, after = hashes(tmp_path), hashes(tmp_path, **{file: "# other\n"})
    moved = {name: before[name] != after[name] for name in before}
    assert moved == {"test_alone": alone, "test_one": one}


def test_no_test_kills_it_hangs_on_every_test(tmp_path: Path) -> None:
    hashes(tmp_path)
    before = Inputs(tmp_path, PATTERNS).all
    hashes(tmp_path, test_alone="# other\n")
    assert Inputs(tmp_path, PATTERNS).all != before
