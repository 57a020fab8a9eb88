"""Every mutant of the level-A code is killed by a test, or justified as equivalent.

Rules of this file:

*   Level A is what certification/level_a.toml lists. By groups, since each has its tests.
*   Killed is what a test, a contract, the time limit or a failing import has killed in a process
    that was run. A tool that broke, a test that fails without any mutant: not run, never killed.
*   The fast lane takes a seeded sample of the kernel's mutants, and first the test that the last
    full run named (``code_killers.toml``), then the file's own.
*   What only tests that draw their inputs have killed is counted apart.

Not here: operators (``code_mutants.py``), runs (``code_run.py``), arguments
(``code_justified.toml``).
"""

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dolphin.verify import level_a
from dolphin.verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
)
from dolphin.verify.store import Store

if TYPE_CHECKING:
    from dolphin.verify.mutation.code_mutants import Mutant
    from dolphin.verify.mutation.code_run import Group, Result

SAMPLE = 40
SAMPLE_SEED = 4
JUSTIFIED = Path(__file__).with_name("code_justified.toml")
KILLERS = Path(__file__).with_name("code_killers.toml")
KILLERS_HEAD = """# The fast lane's mutants, and which test killed each when all tests were tried.
# A hint of what to run first: nothing of it is believed. Written by
#     python -m dolphin.verify.mutation.code
"""


def groups(root: Path) -> "tuple[Group, ...]":
    """Return the groups of level A in the order in which they are run.

    Raises ValueError where the list of level A cannot be read.
    """
    from dolphin.verify.mutation.code_run import Group

    listed = level_a.read(root)

    def files(*packages: str) -> tuple[str, ...]:
        there = {
            module: path
            for package in packages
            for module, path in level_a.modules_of(root, package).items()
        }
        return tuple(sorted(path for name, path in there.items() if name in listed.modules))

    common = ("tests/conftest.py", "tests/*.py", "pyproject.toml", "locks/dev.txt", level_a.LIST)
    kernel = ("kernel/*.py", *common)
    traces = ("traces/*.py", "tests/kernel/*.py", "certification/*.toml", *kernel)
    return (
        Group("kernel", files("kernel"), ("tests/kernel/**/*.py",), kernel),
        Group("traces", files("traces"), ("tests/traces/**/*",), traces),
        Group(
            "shell",
            files("dolphin.execution", "dolphin.link", "dolphin.shell"),
            (
                "tests/dolphin/execution/**/*.py",
                "tests/dolphin/link/**/*.py",
                "tests/dolphin/shell/**/*.py",
            ),
            ("dolphin/execution/*.py", "dolphin/link/*.py", "dolphin/shell/*.py", *traces),
        ),
    )


def of_group(root: Path, group: "Group", names: Collection[str] | None = None) -> "list[Mutant]":
    """Return the mutants of a group, file by file.

    With ``names``, dotted names of modules or functions, of the files they are in.
    """
    from dolphin.verify.mutation.code_mutants import mutants_of

    paths = sorted({path for pattern in group.files for path in root.glob(pattern)})
    found = [path.relative_to(root) for path in paths]
    if names is not None:
        found = [path for path in found if any(_is_in(name, path) for name in names)]
    return [mutant for path in found for mutant in mutants_of(path, root)]


def _is_in(name: str, path: Path) -> bool:
    module = ".".join(path.with_suffix("").parts)
    return name == module or name.startswith(f"{module}.")


def sample(mutants: "Iterable[Mutant]") -> "list[Mutant]":
    """Return the fast lane's mutants: those whose hash comes first, whatever else changes."""

    def place(mutant: "Mutant") -> str:
        name = f"{SAMPLE_SEED} {mutant.path} {mutant.function} {mutant.function_hash}"
        return hashlib.sha256(f"{name} {mutant.id} {mutant.change}".encode()).hexdigest()

    return sorted(mutants, key=place)[:SAMPLE]


def killers() -> dict[str, str]:
    """Return the tests to try first, by mutant of the sample: a hint that saves time, no more."""
    if not KILLERS.is_file():
        return {}
    found: dict[str, str] = tomllib.loads(KILLERS.read_text(encoding="utf-8"))["killers"]
    return found


def counts(
    mutants: "Iterable[Mutant]", results: "Mapping[str, Result]", excused: Mapping[str, str]
) -> Counter[str]:
    """Return how many there are of each verdict."""
    found: Counter[str] = Counter(total=0, killed=0, justified=0, survived=0, undecided=0)
    for mutant in mutants:
        found["total"] += 1
        result = results.get(mutant.id)
        status = result.status if result is not None else "undecided"
        if status == "survived" and mutant.id in excused:
            status = "justified"
        found[status if status in found else "undecided"] += 1
    return found


def means(results: "Iterable[Result]") -> Counter[str]:
    """Return by what the killed ones were killed; ``only_random`` lies across the others."""
    found: Counter[str] = Counter(contract=0, test=0, timeout=0)
    found["import"] = found["only_random"] = 0
    for result in results:
        if result.status == "killed":
            contract = result.how == "test" and result.error == "ViolationError"
            found["contract" if contract else result.how] += 1
            found["only_random"] += result.random
    return found


def run(context: Context) -> Outcome:
    """Run the lane's mutants and compare the survivors with the justifications."""
    try:
        import libcst  # noqa: F401  (asked for here, so that its absence is a reason)
        import mutmut  # noqa: F401  (as above)
    except ImportError as error:
        return Outcome(NOT_RUN, f"{error.name} is not installed: make env-dev")
    from dolphin.verify.mutation import code_justified, code_run

    try:
        entries = code_justified.read(JUSTIFIED)
    except code_justified.Malformed as error:
        return Outcome(DOES_NOT_HOLD, str(error), findings=(str(error),))
    argued = {name for entry in entries for name in entry.mutants}
    store = context.store.below("verdicts")
    mutants: dict[str, Mutant] = {}
    results: dict[str, Result] = {}
    failing: list[str] = []
    chosen = groups(context.root)
    chosen = chosen[:1] if context.lane == FAST else chosen
    for group in chosen:
        of = of_group(context.root, group)
        if context.lane == FAST:
            of = sample(of)
        mutants |= {mutant.id: mutant for mutant in of}
        ran = code_run.run_group(
            context.root, group, of, store, context.tell, context.jobs,
            measured=context.lane != FAST, killers=killers(), argued=argued,
        )  # fmt: skip
        results |= ran.results
        failing += ran.failing
    if failing:
        return Outcome(
            NOT_RUN, f"{len(failing)} tests fail without any mutant", findings=tuple(failing)
        )
    if context.lane == FAST:
        entries = [each for each in entries if set(each.mutants) & set(mutants)]
        entries = [code_justified.narrowed(each, mutants) for each in entries]
    excused, findings = code_justified.judged(entries, mutants, results)
    return outcome(mutants, results, excused, findings)


def outcome(
    mutants: "Mapping[str, Mutant]",
    results: "Mapping[str, Result]",
    excused: Mapping[str, str],
    findings: list[str],
) -> Outcome:
    """Return figures, findings and status."""
    for mutant in mutants.values():
        result = results.get(mutant.id)
        if result is not None and result.status == "survived" and mutant.id not in excused:
            findings.append(
                f"{mutant.path}:{mutant.line}: {mutant.id} survived {result.tests} tests: "
                f"{mutant.change}"
            )
    all_of_it = counts(mutants.values(), results, excused)
    by_module = {
        path: dict(counts((m for m in mutants.values() if m.path == path), results, excused))
        for path in sorted({mutant.path for mutant in mutants.values()})
    }
    figures: dict[str, Any] = {
        **all_of_it,
        "killed_by": dict(means(results.values())),
        "by_module": by_module,
    }
    detail = (
        f"{all_of_it['total']} mutants, {all_of_it['killed']} killed, "
        f"{all_of_it['justified']} justified, {all_of_it['survived']} survived"
    )
    status = HOLDS
    if all_of_it["undecided"]:
        status = NOT_RUN
        detail += f", {all_of_it['undecided']} undecided"
        findings += [
            f"{result.mutant}: no verdict: {result.text}"
            for result in results.values()
            if result.status not in ("killed", "survived")
        ]
    if all_of_it["survived"] or len(findings) > all_of_it["undecided"]:
        status = DOES_NOT_HOLD
    return Outcome(status, detail, {"code": figures}, tuple(findings))


ITEM = Item(
    name="mutants-code",
    claim="every mutant of the level-A code is killed by a test, or justified as equivalent",
    section="mutation",
    inputs=(
        "kernel/*.py",
        "traces/*.py",
        "dolphin/execution/*.py",
        "dolphin/link/*.py",
        "dolphin/shell/*.py",
        "dolphin/verify/mutation/code*",
        "tests/conftest.py",
        "tests/kernel/**/*.py",
        "tests/traces/**/*",
        "tests/dolphin/execution/**/*.py",
        "tests/dolphin/link/**/*.py",
        "tests/dolphin/shell/**/*.py",
        "certification/*.toml",
        "locks/dev.txt",
    ),
    # No fast lane yet: it needs code_killers.toml, which a full run writes. Without it a mutant of
    # the sample would be tried with all tests of the kernel, for minutes.
    seconds={FULL: 5400.0},
    run=run,
)


def main() -> None:
    """Run the sample against all tests and write which one killed each."""
    from dolphin.verify.mutation.code_run import run_group

    root = Path(__file__).resolve().parents[3]
    group = groups(root)[0]
    store = Store(root / ".cache" / "verify").below(ITEM.name).below("verdicts")
    ran = run_group(root, group, sample(of_group(root, group)), store, lambda *_: None, 1)
    rows = sorted((each.mutant, each.by) for each in ran.results.values() if each.by)
    lines = [f'"{mutant}" = {json.dumps(by)}\n' for mutant, by in rows]
    KILLERS.write_text(f"{KILLERS_HEAD}\n[killers]\n{''.join(lines)}", encoding="utf-8")


if __name__ == "__main__":
    main()
