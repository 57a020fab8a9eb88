"""The curves against 512-bit enclosures, on every input.

A *truth* takes an input and returns the true value in ppm as an arb ball (the true value lies
inside, always), written from the sources' formulas and sharing nothing with ``kernel/``. The check
asks that the curve returns the floor of everything in the ball: then it is never above the true
value and less than 1 ppm below it. A ball that straddles an integer decides nothing and fails.

Run alone, it checks whole curves and prints what it saw::

    python -m tests.kernel.curve_check [--margin] [NAME ...]

The tests run it in a process without ICONTRACT_SLOW, as production runs the curves; with the
contracts of every function on, four million points would take minutes.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flint import arb, ctx

from kernel import curves
from kernel.constants import AGE_S_MAX, LATENCY_MS_MAX, PPM

ctx.prec = 512

MILLION = 1_000_000
TENTH = arb(1) / 10
LN10 = arb(10).log()


def structural_bible(age_s: int) -> arb:
    """Return exp(-max(0, h - 6) / 3), h in hours."""
    hours = arb(age_s) / 3600
    return MILLION * (-(hours - 6) / 3).exp() if age_s > 6 * 3600 else arb(MILLION)


def structural_specification(age_s: int) -> arb:
    """Return 1 to 30 s, then the exponential that is 0.10 at two hours, then 0.10."""
    if age_s <= 30:
        return arb(MILLION)
    if age_s >= 7200:
        return arb(MILLION // 10)
    return MILLION * (-(arb(age_s) - 30) * LN10 / 7170).exp()


def environment_bible(age_s: int) -> arb:
    """Return 0.3 + 0.7 (1 - exp(-t / 60)), t in minutes."""
    minutes = arb(age_s) / 60
    return 300_000 + 700_000 * (1 - (-minutes / 60).exp())


def environment_specification(age_s: int) -> arb:
    """Return the line from 0.3 to 1 over 60 minutes."""
    return (arb(300_000 * 3600) + 700_000 * min(age_s, 3600)) / 3600


def capital(drawdown_ppm: int) -> arb:
    """Return 1 / (1 + exp(30 (dd - 0.12)))."""
    exponent = arb(30 * (drawdown_ppm - 120_000)) / MILLION
    return MILLION / (1 + exponent.exp())


def micro_bible(score_ppm: int) -> arb:
    """Return 0.3 + 0.7 score."""
    return (arb(300_000 * MILLION) + 700_000 * score_ppm) / MILLION


def latency_specification(latency_ms: int) -> arb:
    """Return 1 to 200 ms, then e-fold every second."""
    return MILLION * (-(arb(max(200, latency_ms)) - 200) / 1000).exp()


def jitter_specification(jitter_ms: int) -> arb:
    """Return 1 to 50 ms, then e-fold every quarter of a second."""
    return MILLION * (-(arb(max(50, jitter_ms)) - 50) / 250).exp()


def depth_specification(depth_ppm: int) -> arb:
    """Return depth / 0.8, 1 at most."""
    return arb(min(depth_ppm, 800_000) * 10) / 8


@dataclass(frozen=True)
class Subject:
    """One curve under test: the code, the truth, the last input, and which way it may move."""

    name: str
    code: Callable[[int], int]
    truth: Callable[[int], arb]
    last: int
    rises: bool


def _both(score_ppm: int) -> int:
    return curves.micro_bible(score_ppm, score_ppm)


SUBJECTS = (
    Subject(
        "structural_decay_bible", curves.structural_decay_bible, structural_bible, AGE_S_MAX, False
    ),
    Subject(
        "structural_decay_specification",
        curves.structural_decay_specification,
        structural_specification,
        AGE_S_MAX,
        False,
    ),
    Subject("environment_bible", curves.environment_bible, environment_bible, AGE_S_MAX, True),
    Subject(
        "environment_specification",
        curves.environment_specification,
        environment_specification,
        AGE_S_MAX,
        True,
    ),
    Subject("capital", curves.capital, capital, PPM, False),
    Subject("micro_bible", _both, micro_bible, PPM, True),
    Subject(
        "latency_specification",
        curves.latency_specification,
        latency_specification,
        LATENCY_MS_MAX,
        False,
    ),
    Subject(
        "jitter_specification",
        curves.jitter_specification,
        jitter_specification,
        LATENCY_MS_MAX,
        False,
    ),
    Subject("depth_specification", curves.depth_specification, depth_specification, PPM, True),
)
BY_NAME = {subject.name: subject for subject in SUBJECTS}


def errors(subject: Subject, first: int, last: int) -> Iterator[str]:
    """Yield one line for each input in first..last where the curve is not the floor, or turns."""
    code, truth = subject.code, subject.truth
    before = code(max(0, first - 1))
    for point in range(first, last + 1):
        value = code(point)
        certain = truth(point).floor().unique_fmpz()
        if certain is None:
            yield f"{subject.name}({point}): the enclosure straddles an integer, nothing decided"
        elif value != certain:
            yield f"{subject.name}({point}) = {value}, the floor of the true value is {certain}"
        if value > before if not subject.rises else value < before:
            yield f"{subject.name}({point}) = {value} turns back from {before}"
        before = value


def margin(subject: Subject) -> tuple[float, int]:
    """Return how little above a whole ppm a true value comes, and where.

    There an error of the code would show first: it only ever errs downwards, and 0 is the end.
    """
    best = (1.0, -1)
    for point in range(subject.last + 1):
        true = subject.truth(point)
        below = true.floor()
        if not true.is_exact() and below >= 1:
            best = min(best, (float(true - below), point))
    return best


def main() -> int:
    """Check the named curves, all if none is named; exit 1 if any point is wrong."""
    parser = argparse.ArgumentParser(description="check the curves on every input")
    parser.add_argument("names", nargs="*", choices=[[], *BY_NAME], metavar="NAME")
    parser.add_argument("--margin", action="store_true", help="print the nearest miss too")
    parser.add_argument("--span", action="append", help="FIRST-LAST, any number; else all inputs")
    arguments = parser.parse_args()
    failed = False
    for name in arguments.names or BY_NAME:
        subject = BY_NAME[name]
        texts = arguments.span or [f"0-{subject.last}"]
        spans = [(int(first), int(last)) for first, last in (text.split("-") for text in texts)]
        wrong = [line for first, last in spans for line in errors(subject, first, last)]
        failed = failed or bool(wrong)
        print(f"{name}: {sum(b - a + 1 for a, b in spans)} inputs, {len(wrong)} wrong")
        for line in wrong[:5]:
            print(f"  {line}")
        if arguments.margin:
            distance, point = margin(subject)
            print(f"  nearest above a whole ppm: {distance:.3g} ppm at {point}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
