"""The generator of mutants: where it changes the code, where it does not, what an id is bound to.

The samples are files of a few lines. That the places left out by mutmut itself are not left out
here is shown on mutmut: the decorated function of the first sample has no mutant of its own.
"""

import ast
import textwrap
from pathlib import Path

import pytest
from mutmut.configuration import reset_config
from mutmut.mutation.file_mutation import create_mutations

from verify.mutation.code_mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[3]
DECORATED = """
    @require(lambda a: a > 0)
    @pure
    def f(a: int) -> int:
        '''Return one more.'''
        return a + 1
"""


def mutants(folder: Path, text: str) -> list[Mutant]:
    """The mutants of a file with this text."""
    (folder / "m.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return mutants_of(Path("m.py"), folder)


def changes(folder: Path, text: str) -> set[str]:
    return {f"{each.function}: {each.change}" for each in mutants(folder, text)}


def test_a_decorated_function_is_mutated_and_its_contract_is_not(tmp_path: Path) -> None:
    assert changes(tmp_path, DECORATED) == {"f: a + 1 → a - 1", "f: 1 → 2"}


def test_control_mutmut_alone_leaves_decorated_functions_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason for this generator. When this fails, mutmut has learned it."""
    (tmp_path / "pyproject.toml").write_text('[tool.mutmut]\nsource_paths = ["."]\n')
    monkeypatch.chdir(tmp_path)  # where mutmut looks for its configuration
    text = textwrap.dedent(DECORATED)
    undecorated = text[text.index("def f") :]
    reset_config()
    try:
        counts = [len(create_mutations("m.py", each)[1]) for each in (text, undecorated)]
    finally:
        reset_config()
    assert counts == [0, 2]


@pytest.mark.parametrize(
    "text",
    [
        "import a.b as c\nfrom a import b\n",
        "Ages = tuple[int, int]\ntype Row = tuple[int, 3]\n",
        "def f(a: 'int | 3') -> None:\n    '''One 1.'''\n",
        "def f(a):\n    isinstance(a, (int, 3))\n",
        "def f(a):\n    len([1, 2])\n",
        "@d(1 + 1)\nclass C:\n    pass\n",
        "# 1 + 1\n",
    ],
)
def test_what_no_test_could_see_is_left_alone(tmp_path: Path, text: str) -> None:
    assert changes(tmp_path, text) == set()


def test_constants_tables_and_defaults_are_changed_when_imported(tmp_path: Path) -> None:
    found = mutants(
        tmp_path,
        """
        A: Final[int] = 7
        T = (1,)
        class C(IntEnum):
            X = 3
            def f(self, a=5):
                return 6
        """,
    )
    said = {(each.function, each.change, each.at_import) for each in found}
    assert said == {
        ("A", "7 → 8", True),
        ("A", "A: Final[int] = 7 → A: Final[int] = None", True),
        ("C.X", "3 → 4", True),
        ("C.X", "X = 3 → X = None", True),
        ("C.f", "5 → 6", True),
        ("C.f", "6 → 7", False),
        ("T", "T = (1,) → T = None", True),
        ("T", "1 → 2", True),
    }


def test_a_mutant_that_is_no_python_or_no_change_is_none(tmp_path: Path) -> None:
    """Of ``f(a, b=1)`` neither ``f(None, b=1)`` twice nor ``f(b=1, )`` beside ``f(b=1)``."""
    found = mutants(tmp_path, "def g(a):\n    return f(x=(a), *a)\n")
    trees = [ast.dump(ast.parse(each.mutated_source)) for each in found]
    assert len(set(trees)) == len(trees) > 0


@pytest.mark.parametrize("path", ["kernel/slots.py", "traces/recovery.py"])
def test_a_mutant_is_the_file_with_one_statement_changed(path: str) -> None:
    """Exactly the lines of the statement differ: cutting text out and rendering agree."""
    source = (ROOT / path).read_text(encoding="utf-8")
    lines = source.split("\n")
    for mutant in mutants_of(Path(path)):
        first, last = mutant.statement
        after = mutant.mutated_source.split("\n")
        assert after[: first - 1] == lines[: first - 1], mutant.id
        rest = len(lines) - last
        assert after[len(after) - rest :] == lines[last:], mutant.id
        assert ast.dump(ast.parse(mutant.mutated_source)) != ast.dump(ast.parse(source))


def test_ids_are_unique_and_the_same_the_next_time() -> None:
    first = [each.id for each in mutants_of(Path("kernel/gate.py"))]
    assert len(set(first)) == len(first)
    assert first == [each.id for each in mutants_of(Path("kernel/gate.py"))]


BODY = "def f(a):\n    '''Say.'''\n    return a + 1  # why\n"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@pure\n@ensure_part(lambda result: result > 0)\n" + BODY, True),
        (BODY.replace("Say.", "Say it otherwise."), True),
        (BODY.replace("  # why", ""), True),
        (BODY.replace("a + 1", "(a +\n 1)"), True),
        ("X = 3\n\n" + BODY, True),
        (BODY.replace("a + 1", "a + 2"), False),
        (BODY.replace("f(a)", "f(a, b)"), False),
    ],
)
def test_the_hash_holds_the_body_and_neither_contract_nor_comment(
    tmp_path: Path, text: str, same: bool
) -> None:
    def of(text: str) -> str:
        return next(e.function_hash for e in mutants(tmp_path, text) if e.function == "f")

    assert (of(text) == of(BODY)) is same
