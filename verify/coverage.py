"""Structural coverage: every level-A module has its statements, branches and MC/DC shown by tests.

Rules of this file:

*   Measuring and judging is the instrument's (``python -m verify.mcdc``), started as a process:
    this file says what is level A, which tests are asked, and what the instrument said.
*   What counts is a requirement: a test that carries ``req``, is not random, and passed. What only
    other tests reach is a gap that says so.
*   A condition that no test can show is excused one by one, in ``certification/coverage/*.toml``.
    What only contracts ask that production leaves out is counted and listed apart.
*   What ``make test`` recorded (``build/mcdc.json``) is judged where it is of this source, of these
    tests, and of all of them. Else the full lane runs the tests of each part under the instrument,
    and keeps each part's data under the hash of what it came from; the fast lane runs the kernel's
    alone, names its gaps, and for the rest is "not run".

Not here: what MC/DC is (``verify/mcdc/README.md``), which module is level A (``level_a.py``).
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify import level_a
from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context, Item, Outcome
from verify.store import key_of, sha256_of_files

VERSION = 1
RECORDED = "build/mcdc.json"
FOLDER = "build/coverage"
EXCUSES = "certification/coverage"
KINDS = ("statements", "branches", "conditions", "mcdc")
CONTRACTS = ("require", "ensure")
PARTS_OF_CONTRACTS = ("require_part", "ensure_part", "require_proof", "ensure_proof")
FINDINGS_MAX = 200
# Exit codes of pytest.
PASSED, FAILED, NO_TESTS = 0, 1, 5
# What is measured, and the instrument: a change of it voids every part.
SOURCES = ("kernel/**/*.py", "traces/**/*.py", "dolphin/*/*.py", "verify/mcdc/**/*.py",
           "tests/*.py", level_a.LIST)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Tests that are run together, and the files they are made of."""

    name: str
    tests: tuple[str, ...]
    files: tuple[str, ...]


PARTS = (
    Part("kernel", ("tests/kernel",), ("tests/kernel/**/*.py", "tests/traces/samples.py")),
    Part("traces", ("tests/traces",), ("tests/traces/**/*", "tests/kernel/*.py")),
    Part(
        "shell",
        ("tests/dolphin/shell", "tests/dolphin/link", "tests/dolphin/guard"),
        ("tests/dolphin/**/*", "tests/traces/*.py", "tests/kernel/*.py"),
    ),
)


def targets(root: Path) -> tuple[str, ...]:
    """Return the modules to instrument: level A, less packages that hold what is not.

    Such a package would bring all of its modules. Its own file has nothing to cover (a test holds
    that).
    """
    listed = level_a.read(root)
    mixed = {name.rpartition(".")[0] for name in listed.excluded}
    return tuple(name for name in listed.modules if name not in mixed)


def options(root: Path) -> list[str]:
    """Return what pytest is to be told so that it records coverage of level A."""
    words = ["-p", "verify.mcdc.pytest_plugin", f"--mcdc-data={RECORDED}"]
    return words + [f"--mcdc={name}" for name in targets(root)]


def mcdc(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the instrument."""
    command = [sys.executable, "-m", "verify.mcdc", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def report(root: Path, data: Sequence[Path]) -> tuple[dict[str, Any] | None, str]:
    """Return the instrument's report on some data, or None and why there is none."""
    words = ["report", "--json"]
    words += [word for path in data for word in ("--data", str(path))]
    words += [word for name in CONTRACTS for word in ("--contract", name)]
    words += [word for name in PARTS_OF_CONTRACTS for word in ("--contract-part", name)]
    excuses = sorted((root / EXCUSES).glob("*.toml"))
    words += [word for path in excuses for word in ("--justify", str(path.relative_to(root)))]
    done = mcdc(root, *words)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or [f"mcdc ended with {done.returncode}"]
        return None, lines[-1]
    return found, ""


def lacking(root: Path, data: Path, parts: Iterable[Part]) -> str:
    """Return which module or test a recorded run has left out, "" where it is whole."""
    try:
        document = json.loads(data.read_text(encoding="utf-8"))
        modules, asked = document["modules"], document["witnesses"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"no {RECORDED}"
    for name in targets(root):
        if name not in modules:
            return f"{RECORDED} is not of {name}"
    for part in parts:
        for folder in part.tests:
            for path in sorted((root / folder).rglob("test_*.py")):
                if path.relative_to(root).as_posix() not in asked:
                    return f"{RECORDED} is without {path.relative_to(root)}"
    return ""


class NotMeasured(Exception):
    """The tests of a part could not be run to their end; the message says what pytest said."""


def ended(path: Path) -> bool:
    """Return whether a run wrote its data there, and not only that it has begun."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["ended"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def measured(context: Context, part: Part) -> Path:
    """Return the data of one part: kept, or made now by its tests under the instrument.

    Raises ``NotMeasured``. Tests that fail do not raise it: what they reached is no evidence.
    """
    key = key_of(VERSION, part.name, sha256_of_files(context.root, (*SOURCES, *part.files)))
    path = context.root / FOLDER / f"{part.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = context.store.get(key)
    if kept is not None:
        path.write_text(json.dumps(kept), encoding="utf-8")
        return path
    path.unlink(missing_ok=True)
    words = ["run", *targets(context.root), "--data", str(path), "--", "-m", "pytest", "-q"]
    words += ["-n", str(context.jobs), "--dist", "loadfile"]
    done = mcdc(context.root, *words, *part.tests)
    if done.returncode not in (PASSED, FAILED, NO_TESTS) or not ended(path):
        lines = (done.stdout + done.stderr).strip().splitlines() or ["pytest said nothing"]
        raise NotMeasured(f"{part.name}: pytest ended with {done.returncode}: {lines[-1]}")
    if done.returncode != FAILED:
        context.store.put(key, json.loads(path.read_text(encoding="utf-8")))
    return path


def sentence(gap: Mapping[str, Any]) -> str:
    """Return a gap as one line: where, what, and who reached it without weight."""
    by = f" [reached only by: {gap['reached']}]" if gap["reached"] else ""
    code = f"in `{gap['code']}`: " if gap["kind"] == "condition" else ""
    return f"{gap['file']}:{gap['line']}: {gap['function']}: {code}{gap['says']}{by}"


def figures_of(found: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    """Return met, total and justified of each kind, and "met/total" as text."""
    return {
        kind: {
            "met": found[kind]["covered"],
            "total": found[kind]["total"],
            "justified": found[kind]["justified"],
            "text": f"{found[kind]['covered']}/{found[kind]['total']}",
        }
        for kind in KINDS
    }


def of_modules(document: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """Return the figures of some modules, summed, in the report's own form."""
    names = ("covered", "total", "justified")
    rows = [document["modules"][name] for name in wanted if name in document["modules"]]
    return {kind: {n: sum(row[kind][n] for row in rows) for n in names} for kind in KINDS}


def judged(root: Path, document: Mapping[str, Any], wanted: Sequence[str], rest: str) -> Outcome:
    """Return what a report says of the modules that are wanted; ``rest`` is what was left out."""
    gaps = [gap for gap in document["gaps"] if gap["module"] in wanted]
    excused = [one for one in document["justified"] if one["module"] in wanted]
    apart = document["contract_predicates"]
    sums = figures_of(of_modules(document, wanted))
    figures: dict[str, object] = {
        **sums,
        "modules": {name: figures_of(document["modules"][name]) for name in wanted},
        "tests": document["tests"],
        "gaps": len(gaps),
        "reached_only_by_random": sum(1 for gap in gaps if "random" in gap["reached"]),
        "justified": [
            {name: one[name] for name in ("file", "line", "function", "code", "item", "excuse")}
            for one in excused
        ],
        "contracts": document["contracts"],
        "contract_predicates": {
            "functions": apart["functions"],
            **figures_of(apart["coverage"]),
            "not_shown": [sentence(gap) for gap in apart["gaps"]],
        },
        "left_out": rest,
    }
    findings = [sentence(gap) for gap in gaps]
    # An excuse is judged against everything that was run; what was left out cannot have shown it.
    findings += [] if rest else document["findings"]
    findings += level_a.findings(root)
    failed = document["tests"].get("failed", 0)
    if failed:
        findings.append(f"{failed} tests did not pass: what they reached is no evidence")
    said = ", ".join(f"{sums[kind]['text']} {kind}" for kind in KINDS)
    detail = f"{len(wanted)} modules: {said}; {len(excused)} waived"
    if findings:
        more = len(findings) - FINDINGS_MAX
        shown = findings[:FINDINGS_MAX] + ([f"… and {more} more"] if more > 0 else [])
        return Outcome(DOES_NOT_HOLD, f"{detail}; {len(gaps)} gaps", figures, tuple(shown))
    if rest:
        return Outcome(NOT_RUN, f"{detail}; {rest}", {**figures, "not_run": rest})
    return Outcome(HOLDS, detail, figures)


def run(context: Context) -> Outcome:
    """Judge what was recorded; where that is not of this source, run what the lane affords."""
    root = context.root
    try:
        wanted = targets(root)
    except ValueError as error:
        return Outcome(DOES_NOT_HOLD, "what is level A cannot be read", findings=(str(error),))
    context.tell(0, len(PARTS), "what make test recorded")
    document, why = None, lacking(root, root / RECORDED, PARTS)
    if not why:
        document, why = report(root, [root / RECORDED])
    if document is not None:
        return judged(root, document, wanted, "")
    parts = PARTS if context.lane == FULL else PARTS[:1]
    data = []
    for number, part in enumerate(parts):
        context.tell(number, len(parts), f"{part.name} under the instrument")
        try:
            data.append(measured(context, part))
        except NotMeasured as error:
            return Outcome(NOT_RUN, str(error), {"not_run": str(error)})
    rest = ""
    if len(parts) < len(PARTS):
        wanted = tuple(name for name in wanted if name.partition(".")[0] == PARTS[0].name)
        rest = f"the fast lane ran {parts[0].name} alone ({why}; `make test` records all)"
    document, why = report(root, data)
    if document is None:
        return Outcome(NOT_RUN, why, {"not_run": why})
    return judged(root, document, wanted, rest)


ITEM = Item(
    name="coverage",
    claim="Level A has full statement, branch and MC/DC coverage by requirement-based tests",
    section="coverage",
    inputs=(
        *SOURCES, f"{EXCUSES}/*.toml", "certification/requirements/*.toml",
        "tests/kernel/**/*.py", "tests/traces/**/*", "tests/dolphin/**/*",
    ),
    seconds={FAST: 10.0, FULL: 400.0},
    run=run,
)  # fmt: skip


def main() -> None:
    """Print what pytest is to be told, for the Makefile: ``python -m verify.coverage``."""
    sys.stdout.write(" ".join(options(Path.cwd())) + "\n")


if __name__ == "__main__":
    main()
