"""No code of a drill is in the processes of level A.

Rules of the check: in the packages that trade, the word `drill` does not occur, and nothing reads
whether a session is a demonstration. What a demonstration runs in their place is named in one table
(`dolphin/ops/supervise.py`), and each row stands for a program of every session.

Not here: who may import whom (`test_levels`).
"""

import re
from collections.abc import Iterable

from dolphin.ops.supervise import PROGRAMS, WITH_DRILLS
from tests.tidy.findings import Finding, files, show

FREE = re.compile(r"dolphin/(guard|shell|link|feed|venue|sensors|alpha|eigen|esof)/.*\.py")
DRILL = re.compile(r"drill|(?<!\w)demonstration", re.IGNORECASE)
# The field of the configuration that the supervisor's table reads.
FIELD = ("dolphin/link/config.py", "demonstration")


def drills(sources: Iterable[tuple[str, str]]) -> list[Finding]:
    """Return where a drill is named in code that has none."""
    found = []
    for path, text in sources:
        if not FREE.fullmatch(path):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            match = DRILL.search(line)
            if match is not None and (path, match[0]) != FIELD:
                found.append(
                    Finding(path, number, f"{match[0]} in code that trades", "dolphin/drills/")
                )
    return found


def test_code_that_trades_knows_no_drill() -> None:
    found = drills(files(".py"))
    assert not found, show(found)


def test_control_a_drill_in_such_code_is_found() -> None:
    rejected = [
        ("dolphin/shell/x.py", "if message.get('drill'):\n"),
        ("dolphin/guard/x.py", "\n# Drills\n"),
        ("dolphin/feed/x.py", "if config.demonstration:\n"),
        ("dolphin/link/config.py", "def drill(): ...\n"),
    ]
    assert [one.path for one in drills(rejected)] == [path for path, _ in rejected]
    assert drills([("dolphin/drills/x.py", "drill"), ("dolphin/ops/x.py", "demonstration")]) == []


def test_what_a_demonstration_replaces_is_a_program_of_every_session() -> None:
    normal = {one.name: one for one in PROGRAMS}
    for name, other in WITH_DRILLS.items():
        one = normal[name]
        assert other.module.startswith("dolphin.drills.")
        assert other.level == "E"
        assert (other.priority, other.restart) == (one.priority, one.restart)
