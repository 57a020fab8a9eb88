"""Every part of `dolphin/` has an assurance level, and import-linter holds the same ones.

Rules of the check:

*   Each package or module directly in `dolphin/` has a row in the table "Partitions and levels" of
    docs/ARCHITECTURE.md, and each row a part. A part without a level has not been thought about.
*   `.importlinter` lists each part in its contract `levels`, in the order of the table's levels: no
    layer lies above one of a lower level. Tools (T) lie on top.
*   A process has the level of the package it is run from, in `dolphin/ops/supervise.py` and in the
    account of a session, which the report shows as it is (tests/certification/test_page.py).
*   Each contract of `.importlinter` can break: a tree with one wrong import, made for the purpose,
    must make import-linter name that contract. A contract that cannot break is a sentence.

Theory: specification II.1, DO-178C's levels. Not here: whether the level is the right one.
"""

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from dolphin.ops.session import processes
from dolphin.ops.supervise import PROGRAMS, WITH_DRILLS, Program, programs
from tests.dolphin.ops.test_collect import config
from tests.tidy.findings import ROOT, tree

LEVELS = "ABCDET"
ROW = re.compile(r"^\|\s*`([\w.]+)`\s*\|\s*([A-Z])\s*\|", re.MULTILINE)
PACKAGES = ("kernel", "traces", "dolphin", "verify", "certification")

# One wrong import each: file, text, the contract that must break.
WRONG_IMPORTS = [
    ("kernel/x.py", "import traces\n", "direction"),
    ("kernel/x.py", "import dolphin\n", "direction"),
    ("traces/x.py", "import dolphin\n", "direction"),
    ("certification/x.py", "import kernel\n", "certification-reads"),
    ("certification/x.py", "def f():\n    from traces import journal\n", "certification-reads"),
    ("dolphin/cli.py", "import certification\n", "certification-unread"),
    ("kernel/x.py", "import certification\n", "certification-unread"),
    ("verify/mcdc/x.py", "import kernel\n", "mcdc-alone"),
    ("kernel/x.py", "import verify.mcdc\n", "mcdc-unread"),
    ("dolphin/shell/x.py", "import dolphin.alpha\n", "levels"),
    ("dolphin/alpha/x.py", "from dolphin import esof\n", "levels"),
    ("dolphin/esof/x.py", "import dolphin.ops\n", "levels"),
    ("dolphin/link/x.py", "import dolphin.cli\n", "levels"),
    ("dolphin/link/x.py", "import dolphin.shell\n", "levels"),
    ("dolphin/shell/x.py", "import dolphin.guard\n", "levels"),
    ("dolphin/guard/x.py", "import dolphin.venue\n", "guard-alone"),
    ("dolphin/feed/x.py", "import dolphin.drills\n", "levels"),
    ("dolphin/venue/x.py", "import dolphin.ops\n", "levels"),
    ("traces/journal.py", "import traces.audit\n", "audit-apart"),
    ("dolphin/shell/x.py", "from traces.audit import judge\n", "audit-apart"),
    ("verify/x.py", "import dolphin.link\n", "verify-apart"),
    ("dolphin/ops/x.py", "import verify\n", "verify-by-commands"),
    ("kernel/x.py", "import verify\n", "verify-by-commands"),
    ("certification/x.py", "import verify\n", "certification-reads"),
    ("verify/x.py", "import certification\n", "certification-unread"),
    ("verify/mcdc/x.py", "import verify.proof\n", "mcdc-alone"),
    ("verify/models/x.py", "import verify.mcdc\n", "mcdc-unread"),
]


def table(page: str) -> dict[str, str]:
    """Return part and level of each row under the heading "Partitions and levels"."""
    section = page.split("## Partitions and levels", 1)[1].split("\n## ", 1)[0]
    return dict(ROW.findall(section))


def layers(settings: str) -> dict[str, int]:
    """Return part and depth (0 on top) of the contract `levels`."""
    parser = configparser.ConfigParser()
    parser.read_string(settings)
    lines = parser["importlinter:contract:levels"]["layers"].split("\n")
    found = {}
    for depth, line in enumerate(lines):
        found |= {part.strip(" ()"): depth for part in re.split("[:|]", line) if part}
    return found


def disagreements(page: str, settings: str, parts: set[str]) -> list[str]:
    """Return every way in which table, contract and tree differ, each with its remedy."""
    levels, depths = table(page), layers(settings)
    unknown = parts - levels.keys()
    found = [f"{part}: no row in docs/ARCHITECTURE.md; give it a level" for part in unknown]
    found += [
        f"{part}: a row without a part; delete it"
        for part in levels
        if part.startswith("dolphin.") and part not in parts
    ]
    found += [f"{part}: in no layer of .importlinter; add it" for part in parts - depths.keys()]
    known = [part for part in levels if part in depths]
    for part in known:
        for other in known:
            if LEVELS.index(levels[part]) > LEVELS.index(levels[other]):
                if depths[part] > depths[other]:
                    found.append(
                        f"{part} (level {levels[part]}) lies below {other} (level {levels[other]}) "
                        "in .importlinter; a lower level belongs above, where nothing imports it"
                    )
    return sorted(found)


def parts_of_the_tree() -> set[str]:
    """Return the packages and modules directly in dolphin/."""
    found = set()
    for name in tree():
        path = Path(name)
        if path.parts[0] == "dolphin" and path.suffix == ".py" and path.name != "__init__.py":
            found.add("dolphin." + (path.parts[1] if len(path.parts) > 2 else path.stem))
    return found - {"dolphin.__main__"}


PAGE = "## Partitions and levels\n| `dolphin.up` | E |\n| `dolphin.down` | A |\n## Next\n"
SETTINGS = "[importlinter:contract:levels]\nlayers =\n    (dolphin.up)\n    dolphin.down\n"


def test_agreement_passes() -> None:
    assert disagreements(PAGE, SETTINGS, {"dolphin.up", "dolphin.down"}) == []


@pytest.mark.parametrize(
    ("page", "settings", "parts", "what"),
    [
        (PAGE, SETTINGS, {"dolphin.up", "dolphin.down", "dolphin.new"}, "dolphin.new: no row"),
        (PAGE, SETTINGS, {"dolphin.up"}, "dolphin.down: a row without a part"),
        (PAGE, "[importlinter:contract:levels]\nlayers =\n    dolphin.up\n",
         {"dolphin.up", "dolphin.down"}, "dolphin.down: in no layer"),
        (PAGE, "[importlinter:contract:levels]\nlayers =\n    dolphin.down\n    dolphin.up\n",
         {"dolphin.up", "dolphin.down"}, "dolphin.up (level E) lies below dolphin.down"),
    ],
)  # fmt: skip
def test_a_disagreement_is_named(page: str, settings: str, parts: set[str], what: str) -> None:
    assert any(what in each for each in disagreements(page, settings, parts))


def test_table_contract_and_tree_agree() -> None:
    page = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    settings = (ROOT / ".importlinter").read_text(encoding="utf-8")
    found = disagreements(page, settings, parts_of_the_tree())
    assert not found, "\n" + "\n".join(found)


def wrong_levels(levels: dict[str, str], programs: Iterable[Program]) -> list[str]:
    """Return every process whose level is not that of the package it is run from."""
    return [
        f"{one.name}: {part} is level {levels.get(part)}, and its process says {one.level}"
        for one in programs
        if levels.get(part := ".".join(one.module.split(".")[:2])) != one.level
    ]


def test_a_process_has_the_level_of_its_package() -> None:
    levels = table((ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert not wrong_levels(levels, (*PROGRAMS, *WITH_DRILLS.values()))
    assert {one.name for one in PROGRAMS} >= {"kernel", "guard", "driver"}


@pytest.mark.parametrize("demonstration", [True, False])
def test_a_sessions_account_gives_each_process_the_level_of_the_table(demonstration: bool) -> None:
    levels = table((ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8"))
    made = replace(config(), demonstration=demonstration)
    ran = [{"name": one.name, "pid": 1, "exit": 0} for one in programs(made)]
    said = {row["name"]: row["level"] for row in processes(made, ran)}
    assert said == {one.name: levels[".".join(one.module.split(".")[:2])] for one in programs(made)}
    assert said["kernel"] == "A"
    assert said["guard"] == ("E" if demonstration else "A")


def test_control_a_process_of_another_level_is_named() -> None:
    one = Program("guard", "dolphin.guard", "C", 30)
    assert wrong_levels({"dolphin.guard": "A"}, [one]) == [
        "guard: dolphin.guard is level A, and its process says C"
    ]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over a tree in `folder`, without a cache."""
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def empty_house(tmp_path: Path) -> Path:
    """Return a folder with our settings and empty parts of our names."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    named = {*PACKAGES, *layers((ROOT / ".importlinter").read_text(encoding="utf-8"))}
    for section in parser.sections():
        for key in ("source_modules", "forbidden_modules"):
            named |= set(parser[section].get(key, "").split())
    for name in named:
        path = tmp_path / name.replace(".", "/")
        if (ROOT / name.replace(".", "/")).with_suffix(".py").is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").touch()
        else:
            path.mkdir(parents=True, exist_ok=True)
            (path / "__init__.py").touch()
    (tmp_path / "traces" / "audit" / "judge.py").touch()
    return tmp_path


def test_an_empty_house_keeps_every_contract(empty_house: Path) -> None:
    done = lint_imports(empty_house)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("file", "text", "contract"), WRONG_IMPORTS)
def test_control_a_wrong_import_breaks_its_contract(
    file: str, text: str, contract: str, empty_house: Path
) -> None:
    (empty_house / file).write_text(text)
    parser = configparser.ConfigParser()
    parser.read(empty_house / ".importlinter")
    name = parser[f"importlinter:contract:{contract}"]["name"]
    done = lint_imports(empty_house)
    assert done.returncode == 1
    assert f"{name} BROKEN" in " ".join(done.stdout.split()), done.stdout
