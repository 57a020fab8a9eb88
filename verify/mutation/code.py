"""Every mutant of the level-A code is killed by a test, or waived as equivalent.

Rules of this file:

*   Level A is what certification/level_a.toml lists. By groups, since each has its tests.
*   Killed is what a test, a contract, the time limit or a failing import has killed in a process
    that was run. A tool that broke, a test that fails without any mutant: not run, never killed.
*   The full lane alone: a mutant that no test has met yet can cost minutes.
*   What only tests that draw their inputs have killed is counted apart.

    python -m verify.mutation.code [--group NAME] [--only ID] [--budget S] [--jobs N]

Not here: operators (``code_mutants.py``), runs (``code_run.py``), arguments
(``code_waivers.toml``).
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify import level_a
from verify.item import (
    DOES_NOT_HOLD,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
    tell_on_stderr,
)
from verify.store import Store

if TYPE_CHECKING:
    from verify.mutation.code_mutants import Mutant
    from verify.mutation.code_run import Group, Result

JUSTIFIED = Path(__file__).with_name("code_waivers.toml")


def groups(root: Path) -> "tuple[Group, ...]":
    """Return the groups of level A in the order in which they are run.

    Raises ValueError where the list of level A cannot be read.
    """
    from verify.mutation.code_run import Group

    listed = level_a.read(root)

    def files(*packages: str) -> tuple[str, ...]:
        there = {
            module: path
            for package in packages
            for module, path in level_a.modules_of(root, package).items()
        }
        return tuple(sorted(path for name, path in there.items() if name in listed.modules))

    common = ("tests/conftest.py", "tests/*.py", "pyproject.toml", "locks/dev.txt", level_a.LIST)
    kernel = ("kernel/**/*.py", *common)
    traces = ("traces/**/*.py", "tests/kernel/*.py", "certification/*.toml", *kernel)
    return (
        Group("kernel", files("kernel"), ("tests/kernel/**/*.py",), kernel),
        Group("traces", files("traces"), ("tests/traces/**/*",), traces),
        Group(
            "shell",
            files("dolphin.guard", "dolphin.link", "dolphin.shell"),
            (
                "tests/dolphin/guard/**/*.py",
                "tests/dolphin/link/**/*.py",
                "tests/dolphin/shell/**/*.py",
            ),
            ("dolphin/guard/*.py", "dolphin/link/*.py", "dolphin/shell/*.py", *traces),
            waits=3,
        ),
    )


def of_group(root: Path, group: "Group", names: Collection[str] | None = None) -> "list[Mutant]":
    """Return the mutants of a group, file by file.

    With ``names``, dotted names of modules or functions, of the files they are in.
    """
    from verify.mutation.code_mutants import mutants_of

    paths = sorted({path for pattern in group.files for path in root.glob(pattern)})
    found = [path.relative_to(root) for path in paths]
    if names is not None:
        found = [path for path in found if any(_is_in(name, path) for name in names)]
    return [mutant for path in found for mutant in mutants_of(path, root)]


def _is_in(name: str, path: Path) -> bool:
    module = ".".join(path.with_suffix("").parts)
    return name == module or name.startswith(f"{module}.")


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
    from verify.mutation import code_run, code_waivers

    try:
        entries = code_waivers.read(JUSTIFIED)
    except code_waivers.Malformed as error:
        return Outcome(DOES_NOT_HOLD, str(error), findings=(str(error),))
    argued = {name for entry in entries for name in entry.mutants}
    store = context.store.below("verdicts")
    mutants: dict[str, Mutant] = {}
    results: dict[str, Result] = {}
    failing: list[str] = []
    for group in groups(context.root):
        of = of_group(context.root, group)
        mutants |= {mutant.id: mutant for mutant in of}
        ran = code_run.run_group(
            context.root, group, of, store, context.tell, context.jobs, argued=argued
        )
        results |= ran.results
        failing += ran.failing
    if failing:
        return Outcome(
            NOT_RUN, f"{len(failing)} tests fail without any mutant", findings=tuple(failing)
        )
    excused, findings = code_waivers.judged(entries, mutants, results)
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
        f"{all_of_it['justified']} waived, {all_of_it['survived']} survived"
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
    claim="every mutant of the level-A code is killed by a test, or waived as equivalent",
    section="mutation",
    inputs=(
        "kernel/**/*.py",
        "traces/**/*.py",
        "dolphin/guard/*.py",
        "dolphin/link/*.py",
        "dolphin/shell/*.py",
        "verify/mutation/code*",
        "tests/conftest.py",
        "tests/kernel/**/*.py",
        "tests/traces/**/*",
        "tests/dolphin/guard/**/*.py",
        "tests/dolphin/link/**/*.py",
        "tests/dolphin/shell/**/*.py",
        "certification/*.toml",
        "locks/dev.txt",
    ),
    seconds={FULL: 5400.0},
    run=run,
)


def verdicts(root: Path) -> Store:
    """Return the store of verdicts that the item keeps."""
    return Store.of(root).below(ITEM.name).below("verdicts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run some mutants and write a line for each that lives; 1 where any does, 2 on bad input."""
    from verify.mutation import code_waivers
    from verify.mutation.code_run import run_group

    root = Path(__file__).resolve().parents[2]
    by_name = {group.name: group for group in groups(root)}
    parser = argparse.ArgumentParser(prog="python -m verify.mutation.code")
    parser.add_argument("--group", choices=by_name, action="append", help="default: all")
    parser.add_argument("--only", default="", help="mutants whose id begins so")
    parser.add_argument("--budget", type=float, default=math.inf, help="seconds of tests for each")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(arguments)
    store = verdicts(root)
    try:
        entries = code_waivers.read(JUSTIFIED)
    except code_waivers.Malformed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    argued = {name for entry in entries for name in entry.mutants}
    of_groups = {name: of_group(root, by_name[name]) for name in asked.group or by_name}
    if not any(m.id.startswith(asked.only) for of in of_groups.values() for m in of):
        sys.stderr.write(f"--only {asked.only}: no mutant's id begins so\n")
        return 2
    alive = 0
    for name, of in of_groups.items():
        chosen = [mutant for mutant in of if mutant.id.startswith(asked.only)]
        ran = run_group(
            root, by_name[name], chosen, store, tell_on_stderr, asked.jobs, asked.budget,
            argued=argued,
        )  # fmt: skip
        mutants = {mutant.id: mutant for mutant in of}
        of_this = [entry for entry in entries if set(entry.mutants) & set(mutants)]
        excused, findings = code_waivers.judged(of_this, mutants, ran.results)
        lines = [*(f"{name}: {line}" for line in ran.failing), *findings]
        for mutant in chosen:
            result = ran.results.get(mutant.id)
            if result is not None and result.status != "killed" and mutant.id not in excused:
                lines.append(
                    f"{mutant.path}:{mutant.line}: {mutant.id} (hash {mutant.function_hash}) "
                    f"{result.status} after {result.tests} tests: {mutant.change} {result.text}"
                )
        alive += len(lines)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()
    return 1 if alive else 0


if __name__ == "__main__":
    raise SystemExit(main())
