"""The extracted Rocq functions beside the kernel's Python, value by value.

Rules of this file:

*   A curve of one argument: every representable input. A function of several arguments: its
    boundaries, all together or in pairs, and draws from a seed that is printed.
*   The first difference of a function is told with its input; the exit code is 1.
*   Without coqc or OCaml: "not run", exit 3. ``--sample N`` looks at N inputs of each curve, and
    its document says so: a sample is not the comparison.

What is trusted here and nowhere else: Coq's extraction, its mapping of Z to Zarith, ocamlopt.
Run by ``make -C spec/rocq compare``; the record of the last whole run is in
``spec/rocq/README.md``.
"""

import argparse
import itertools
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "spec" / "rocq" / "extracted"
sys.path.insert(0, str(ROOT))

from kernel import bar, curves, factors, fixed, posture, survival  # noqa: E402  (the path is set just above)
from kernel.constants import (  # noqa: E402  (the path is set just above)
    AGE_MS_MAX,
    AGE_S_MAX,
    LATENCY_MS_MAX,
    PPM,
    RECOVERY_MS_MAX,
    Posture,
    Profile,
    Status,
)
from kernel.state import (  # noqa: E402  (the path is set just above)
    Limits,
    PostureMachine,
    State,
    Survival,
    initial_state,
    opening_ledger,
)

ONE_ARGUMENT: tuple[tuple[str, Callable[[int], int], int], ...] = (
    ("structural_decay_bible", curves.structural_decay_bible, AGE_S_MAX),
    ("structural_decay_specification", curves.structural_decay_specification, AGE_S_MAX),
    ("environment_bible", curves.environment_bible, AGE_S_MAX),
    ("environment_specification", curves.environment_specification, AGE_S_MAX),
    ("capital", curves.capital, PPM),
    ("micro_bible", lambda n: curves.micro_bible(n, n), PPM),
    ("latency_specification", curves.latency_specification, LATENCY_MS_MAX),
    ("jitter_specification", curves.jitter_specification, LATENCY_MS_MAX),
    ("depth_specification", curves.depth_specification, PPM),
)
GATES: tuple[int, ...] = (
    0, 1, 449_999, 450_000, 499_999, 500_000, 519_999, 520_000, 699_999, 700_000, 749_999, 750_000,
    769_999, 770_000, 849_999, 850_000, 899_999, 900_000, 919_999, 920_000, PPM,
)  # fmt: skip
RATIOS = (0, 1, 120_000, 499_999, 500_000, 799_999, 800_000, PPM - 1, PPM)
AGES = (0, 1, 999, 1_000, 30_001, 7_200_000, 21_600_001, 50_000_000, AGE_MS_MAX)

Row = tuple[str, tuple[int, ...], tuple[int, ...]]


def say(line: str, to: TextIO = sys.stdout) -> None:
    """Write one line."""
    to.write(line + "\n")
    to.flush()


def base_state(profile: Profile, stale_ms: int) -> State:
    """Return a state to put readings into."""
    limits = Limits(
        profile=profile,
        live=False,
        grid_in_use=False,
        heartbeat_limit_ms=(30_000, 30_000, 30_000, 30_000),
        cooling_ms=1,
        confirm_window_ms=2,
        bar_ms_min=1,
        book_stale_ms=stale_ms,
    )
    return initial_state(limits, opening_ledger(1_000_000), 0, 0)


def target_row(arguments: tuple[int, ...]) -> Row:
    """Return what the Python calls for on readings in the order of ``main.ml``."""
    killed, profile, stale, status, fage, bage, sage, depth, fill, late, rough, loss = arguments
    state = base_state(Profile(profile), stale)
    readings = Survival(
        forewarner_status=Status(status),
        forewarner_age_ms=fage,
        book_age_ms=bage,
        shock_age_ms=sage,
        depth_quality_ppm=depth,
        fill_probability_ppm=fill,
        book_latency_ms=late,
        book_jitter_ms=rough,
        multiplier_ppm=0,
    )
    state = replace(
        state,
        killswitch=replace(state.killswitch, killed=bool(killed)),
        survival=readings,
        ledger=replace(state.ledger, drawdown_ppm=loss),
    )
    return ("target", arguments, (survival.target(state),))


def at_multiplier(profile: Profile, multiplier: int) -> State:
    """Return a state that stands at ``multiplier`` and is killed or not by what it is called to."""
    state = base_state(profile, 1)
    return replace(state, survival=replace(state.survival, multiplier_ppm=multiplier))


def counted_row(arguments: tuple[int, ...]) -> Row:
    """Return what one bar does to the posture machine in the Python."""
    profile, held, below, above, multiplier, may = arguments
    state = at_multiplier(Profile(profile), multiplier)
    machine = PostureMachine(posture=Posture(held), bars_below=below, bars_above=above)
    gate = replace(state.gate, fence_confirmed=bool(may))
    state = replace(state, machine=machine, gate=gate)
    told = bar.counted(state)
    after = told.state.machine
    fence = int(told.state.gate.fence_epoch != state.gate.fence_epoch)
    return ("counted", arguments, (after.posture, after.bars_below, after.bars_above, fence))


def boundary_rows() -> Iterator[Row]:
    """Yield the boundaries of the functions of several arguments."""
    for profile, dt, gap in itertools.product(
        Profile,
        (0, 1, 2, 3, 5, 6, 7, 5_000, RECOVERY_MS_MAX - 1, RECOVERY_MS_MAX, AGE_MS_MAX),
        (0, 1, 600, 601, 49_999, 50_000, 50_001, PPM - 1, PPM),
    ):
        step = survival.recovery_step(dt, gap, profile)
        yield ("recovery_step", (dt, gap, profile), (step,))
    for profile, held, multiplier in itertools.product(Profile, Posture, GATES):
        call = posture.called(held, multiplier, profile)
        yield ("called", (held, multiplier, profile), (call,))
        yield ("effective", (held, multiplier, profile), (posture.lower_of(held, call),))
        for below, above, may in itertools.product((0, 1), (0, 3, 4), (0, 1)):
            yield counted_row((profile, held, below, above, multiplier, may))
    for a, b in itertools.product(RATIOS, RATIOS):
        yield ("mul", (a, b), (factors.mul(a, b),))
        yield ("micro_bible", (a, b), (curves.micro_bible(a, b),))
    for profile, status, age in itertools.product(Profile, Status, AGES):
        for depth, loss in itertools.product(RATIOS, (0, 119_999, 120_000, PPM)):
            yield target_row(
                (0, profile, 1_000, status, age, age, age, depth, PPM, age % 3_000, 60, loss)
            )


def drawn_rows(count: int, chance: random.Random) -> Iterator[Row]:
    """Yield ``count`` draws of each function of several arguments."""
    for _ in range(count):
        profile = chance.choice(list(Profile))
        dt, gap = chance.randint(0, 2 * RECOVERY_MS_MAX), chance.randint(0, PPM)
        step = survival.recovery_step(dt, gap, profile)
        yield ("recovery_step", (dt, gap, profile), (step,))
        held, multiplier = chance.choice(list(Posture)), chance.randint(0, PPM)
        yield ("called", (held, multiplier, profile), (posture.called(held, multiplier, profile),))
        yield counted_row(
            (profile, held, chance.randint(0, 1), chance.randint(0, 4), multiplier, dt % 2)
        )
        a, b = chance.randint(0, PPM), chance.randint(0, PPM)
        yield ("mul", (a, b), (factors.mul(a, b),))
        yield ("micro_bible", (a, b), (curves.micro_bible(a, b),))
        readings = (
            chance.randint(0, 20) // 20,
            int(profile),
            chance.choice((0, 1_000, 60_000)),
            chance.randint(0, 2),
            int(10 ** chance.uniform(0, 9)),
            int(10 ** chance.uniform(0, 9)),
            int(10 ** chance.uniform(0, 9)),
            chance.randint(0, PPM),
            chance.randint(0, PPM),
            int(10 ** chance.uniform(0, 4.77)),
            int(10 ** chance.uniform(0, 4.77)),
            int(10 ** chance.uniform(0, 6)),
        )
        yield target_row(readings)
        state = at_multiplier(profile, multiplier)
        called_for = survival.target(state)
        after = survival.recovered(state, dt).survival.multiplier_ppm
        yield ("recovered", (multiplier, called_for, dt, profile), (after,))
        lowered = survival.lower(state).survival.multiplier_ppm
        yield ("lower", (multiplier, called_for), (lowered,))
        n = chance.randint(0, fixed.EXP_MAX)
        yield ("exp_down", (n,), (fixed.exp_down(n),))
        yield ("exp_up", (n,), (fixed.exp_up(n),))
        n = chance.randint(0, fixed.DECADE_MAX)
        yield ("decade_down", (n,), (fixed.decade_down(n),))


def make_program(build: Path) -> Path:
    """Extract, compile, and return the program."""
    place = build / "extracted"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("Extract.v", "main.ml"):
        shutil.copy(HERE / name, place / name)
    parts = ("curves.mli", "curves.ml", "main.ml", "-o", "answers")
    steps = (
        ["make", "-s", "-C", str(HERE.parent), f"BUILD={build}"],
        ["coqc", "-q", "-Q", str(build), "Kernel", "Extract.v"],
        ["ocamlfind", "ocamlopt", "-w", "-a", "-package", "zarith", "-linkpkg", *parts],
    )
    for step in steps:
        told = subprocess.run(
            ["nice", "-n", "15", *step], cwd=place, capture_output=True, text=True, check=False
        )
        if told.returncode != 0:
            raise RuntimeError(f"{step[0]}: {' '.join((told.stdout + told.stderr).split())[-400:]}")
    return place / "answers"


def lines_of(program: Path, asked: str) -> Iterator[str]:
    """Yield the program's answers to a text of questions."""
    questions = program.parent / "questions.txt"
    questions.write_text(asked)
    with (
        questions.open() as source,
        subprocess.Popen(
            ["nice", "-n", "15", str(program)], stdin=source, stdout=subprocess.PIPE, text=True
        ) as running,
    ):
        assert running.stdout is not None  # PIPE was asked for
        yield from running.stdout
        if running.wait() != 0:
            raise RuntimeError(f"the extracted program ended with {running.returncode}")


def compare_curve(
    program: Path, name: str, code: Callable[[int], int], first: int, last: int
) -> tuple[int, str]:
    """Return how many inputs of first..last agree, and the first that does not."""
    seen = 0
    for line in lines_of(program, f"range {name} {first} {last}\n"):
        if int(line) != code(first + seen):
            return seen, f"{name}({first + seen}): Rocq {line.strip()}, Python {code(first + seen)}"
        seen += 1
    missing = "" if seen == last - first + 1 else f"{name}: {seen} answers to {last - first + 1}"
    return seen, missing


def question(name: str, arguments: tuple[int, ...]) -> str:
    """Return a row's question as ``main.ml`` reads it."""
    if name in ("exp_down", "exp_up", "decade_down"):
        return f"range {name} {arguments[0]} {arguments[0]}\n"
    return f"call {name} {' '.join(str(int(argument)) for argument in arguments)}\n"


def compare_rows(program: Path, rows: list[Row]) -> tuple[int, str]:
    """Return how many rows agree, and the first that does not."""
    asked = "".join(question(name, arguments) for name, arguments, _ in rows)
    seen = 0
    for (name, arguments, wanted), line in zip(rows, lines_of(program, asked), strict=False):
        if tuple(int(word) for word in line.split()) != tuple(int(value) for value in wanted):
            return seen, f"{name}{arguments}: Rocq {line.strip()}, Python {wanted}"
        seen += 1
    return seen, "" if seen == len(rows) else f"{seen} answers to {len(rows)} questions"


def main(given: list[str]) -> int:
    """Compare, print the document, return the exit code."""
    parser = argparse.ArgumentParser(description="The extracted curves beside the Python's.")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--sample", type=int, metavar="N", help="only N inputs of each curve")
    parser.add_argument("--draws", type=int, default=20_000, help="draws of the others")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "rocq")
    options = parser.parse_args(given)
    missing = [tool for tool in ("coqc", "ocamlfind", "ocamlopt") if shutil.which(tool) is None]
    if missing:
        line = f"not run: {', '.join(missing)} not installed (Debian: coq, libzarith-ocaml-dev)"
        if options.json:
            say(json.dumps({"ok": None, "not_run": line}))
        say(line, sys.stderr)
        return 3
    try:
        program = make_program(options.build.resolve())
    except RuntimeError as failure:
        say(f"the proofs could not be extracted: {failure}", sys.stderr)
        return 1
    differences = []
    compared = {}
    for name, code, last in ONE_ARGUMENT:
        until = last if options.sample is None else min(last, options.sample - 1)
        compared[name], difference = compare_curve(program, name, code, 0, until)
        differences += [difference] if difference else []
        say(f"{name}: {compared[name]} inputs {difference or 'agree'}", sys.stderr)
    rows = [*boundary_rows(), *drawn_rows(options.draws, random.Random(options.seed))]
    agreed, difference = compare_rows(program, rows)
    differences += [difference] if difference else []
    document = {
        "ok": not differences,
        "exhaustive": options.sample is None,
        "curves": compared,
        "inputs": sum(compared.values()),
        "several_arguments": agreed,
        "seed": options.seed,
        "differences": differences,
    }
    if options.json:
        say(json.dumps(document))
    else:
        say(
            f"{document['inputs']} inputs of {len(compared)} curves "
            f"({'every one' if document['exhaustive'] else 'a sample'}) and {agreed} calls of the "
            f"others, seed {options.seed}: {len(differences)} differences"
        )
        for difference in differences:
            say(difference, sys.stderr)
    return 0 if document["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
