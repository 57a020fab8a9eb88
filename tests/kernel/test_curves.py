"""The curves: exact on every input, monotone, and worth what the documents say.

Every input is checked by ``curve_check.py``, in a process without ICONTRACT_SLOW: all of them with
``--campaigns=whole`` (``make check``), by default a seeded twentieth. The controls show that the
same check catches a wrong digit, a wrong rounding and a wrong deadband.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flint import arb, ctx

from kernel import curves, fixed
from kernel.constants import AGE_S_MAX, LATENCY_MS_MAX, PPM, Profile
from kernel.curves import capital, micro_bible
from kernel.fixed import (
    DECADE_MAX,
    DECADE_UNIT,
    ERROR_MAX,
    EXP_MAX,
    EXP_UNIT,
    ONE,
    decade_down,
    exp_down,
)
from kernel.survival import recovery_step
from tests.kernel.curve_check import BY_NAME, SUBJECTS, Subject, errors

ROOT = Path(__file__).resolve().parents[2]
# A sample of a curve: in each of so many parts of its inputs one in so many, and both ends.
PARTS = ONE_IN = 20
ENDS = 2_000

ctx.prec = 512


def test_every_curve_is_checked() -> None:
    public = {
        name
        for name, value in vars(curves).items()
        if callable(value) and value.__module__ == "kernel.curves"
    }
    assert public == set(BY_NAME)


def sample(last: int, rng: random.Random) -> list[tuple[int, int]]:
    """Return spans of inputs to 0..last: both ends, and a piece of each part between them."""
    part = last // PARTS
    starts = [number * part + rng.randrange(part - part // ONE_IN) for number in range(PARTS)]
    pieces = [(start, start + part // ONE_IN) for start in starts]
    return [(0, ENDS - 1), *pieces, (last - ENDS + 1, last)]


@pytest.mark.campaign
@pytest.mark.req("KRN-SURV-021")
@pytest.mark.parametrize("name", BY_NAME)
def test_floor_of_the_true_value_on_every_input(name: str, rng: random.Random, whole: bool) -> None:
    last = BY_NAME[name].last
    spans = [(0, last)] if whole else sample(last, rng)
    environment = {key: value for key, value in os.environ.items() if key != "ICONTRACT_SLOW"}
    command = [sys.executable, "-m", "tests.kernel.curve_check", name]
    run = subprocess.run(
        [*command, *(word for span in spans for word in ("--span", "{}-{}".format(*span)))],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    count = sum(end - first + 1 for first, end in spans)
    assert run.stdout == f"{name}: {count} inputs, 0 wrong\n"


# --- the constants -------------------------------------------------------------------------------


def table_errors(
    rows: tuple[tuple[int, ...], ...], rate: arb, digits_max: int
) -> list[tuple[int, int, int]]:
    """Return (row, digit, what it should be) for each entry that is not the floor."""
    wrong = []
    assert 8 ** len(rows) == digits_max + 1
    for place, row in enumerate(rows):
        assert len(row) == 8
        for digit, entry in enumerate(row):
            true = (fixed.ONE * (rate * (digit * 8**place)).exp()).floor().unique_fmpz()
            assert true is not None
            if entry != true:
                wrong.append((place, digit, int(true)))
    return wrong


EXP_RATE = -arb(1) / fixed.EXP_UNIT
DECADE_RATE = -arb(10).log() / fixed.DECADE_UNIT


@pytest.mark.req("KRN-SURV-021")
def test_every_table_entry_is_the_floor() -> None:
    assert table_errors(fixed.EXP_DIGITS, EXP_RATE, fixed.EXP_MAX) == []
    assert table_errors(fixed.DECADE_DIGITS, DECADE_RATE, fixed.DECADE_MAX) == []


def test_control_an_entry_off_by_one_is_seen() -> None:
    row = fixed.EXP_DIGITS[4]
    rows = (*fixed.EXP_DIGITS[:4], (*row[:3], row[3] + 1, *row[4:]), *fixed.EXP_DIGITS[5:])
    assert table_errors(rows, EXP_RATE, fixed.EXP_MAX) == [(4, 3, row[3])]


@pytest.mark.req("KRN-SURV-021")
@pytest.mark.random
@pytest.mark.parametrize(
    ("down", "rate", "last"),
    [(fixed.exp_down, EXP_RATE, fixed.EXP_MAX), (fixed.decade_down, DECADE_RATE, fixed.DECADE_MAX)],
)
def test_exponential_errs_downwards_by_less_than_the_bound(
    down: Callable[[int], int], rate: arb, last: int
) -> None:
    seed = 20_261_121
    print(f"seed {seed}")
    points = [0, 1, last, *(random.Random(seed).randrange(last) for _ in range(20_000))]
    for n in points:
        true = fixed.ONE * (rate * n).exp()
        assert down(n) <= true < down(n) + fixed.ERROR_MAX + 1, n


@pytest.mark.req("KRN-SURV-023")
def test_exponential_saturates_at_zero() -> None:
    assert fixed.exp_down(fixed.EXP_MAX) == 0
    assert fixed.exp_down(fixed.EXP_MAX + 1) == 0
    assert fixed.exp_up(10**12) == fixed.ERROR_MAX


def test_units_divide() -> None:
    """The curves' rates are exact integers because EXP_UNIT is a multiple of their units."""
    assert fixed.EXP_UNIT == curves.STRUCTURAL_EXP_PER_S * 3 * 3600
    assert fixed.EXP_UNIT == curves.ENVIRONMENT_EXP_PER_S * 60 * 60
    assert fixed.EXP_UNIT == curves.LATENCY_EXP_PER_MS * 1000
    assert fixed.EXP_UNIT == curves.JITTER_EXP_PER_MS * 250
    assert fixed.EXP_UNIT * 30 == curves.CAPITAL_EXP_PER_PPM * PPM


# --- negative controls of the exhaustive check ---------------------------------------------------


def first_error(subject: Subject, first: int, last: int) -> str:
    return next(errors(subject, first, last), "")


@pytest.mark.parametrize("place", range(9))
def test_control_a_wrong_digit_is_caught(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry of each row, wrong by 2 ppm of itself or by half, is seen by the same check."""
    row = fixed.EXP_DIGITS[place]
    entry = row[1] - row[1] // (500_000 if place < 8 else 2)
    rows = (*fixed.EXP_DIGITS[:place], (row[0], entry, *row[2:]), *fixed.EXP_DIGITS[place + 1 :])
    subject = BY_NAME["capital"]
    around = 120_000 - (8**place // curves.CAPITAL_EXP_PER_PPM)
    first, last = max(0, around - 300), min(PPM, around + 300)
    if place == 8:  # 16,777,216 is out of reach on this side of the middle
        first, last = 120_000 + 207_126, 120_000 + 207_500
    assert first_error(subject, first, last) == ""
    monkeypatch.setattr(fixed, "EXP_DIGITS", rows)
    assert first_error(subject, first, last) != ""


def test_control_a_wrong_decade_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    row = fixed.DECADE_DIGITS[2]
    rows = (*fixed.DECADE_DIGITS[:2], (row[0], row[1] + 10**13, *row[2:]), *fixed.DECADE_DIGITS[3:])
    subject = BY_NAME["structural_decay_specification"]
    assert first_error(subject, 0, 200) == ""
    monkeypatch.setattr(fixed, "DECADE_DIGITS", rows)
    assert "the floor of the true value is" in first_error(subject, 0, 200)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_control_one_ppm_either_way_is_caught(subject: Subject) -> None:
    high = replace(subject, code=lambda point: subject.code(point) + 1)
    low = replace(subject, code=lambda point: subject.code(point) - 1)
    assert len(list(errors(high, 0, 99))) == 100
    assert len(list(errors(low, 0, 99))) == 100


@pytest.mark.parametrize(
    ("constant", "value", "name"),
    [
        ("STRUCTURAL_GRACE_S", 21_601, "structural_decay_bible"),
        ("STRUCTURAL_FRESH_S", 31, "structural_decay_specification"),
        ("STRUCTURAL_BLIND_S", 7_199, "structural_decay_specification"),
        ("ENVIRONMENT_COOLING_S", 3_601, "environment_specification"),
        ("ENVIRONMENT_EXP_PER_S", 751, "environment_bible"),
        ("SHOCK_PPM", 300_001, "environment_bible"),
        ("CAPITAL_EXP_PER_PPM", 82, "capital"),
        ("MICRO_FLOOR_PPM", 299_999, "micro_bible"),
        ("LATENCY_DEADBAND_MS", 201, "latency_specification"),
        ("JITTER_DEADBAND_MS", 51, "jitter_specification"),
        ("DEPTH_DEADBAND_PPM", 799_999, "depth_specification"),
    ],
)
def test_control_a_wrong_constant_is_caught(
    constant: str, value: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = BY_NAME[name]
    monkeypatch.setattr(curves, constant, value)
    assert first_error(subject, 0, 200_000) != ""


def test_control_rounding_the_exponential_the_wrong_way_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exponential 10^-9 too small, taken for an upper bound, lifts the curve above the truth."""
    monkeypatch.setattr(curves, "exp_up", lambda n: max(0, fixed.exp_down(n) - 10**9))
    assert first_error(BY_NAME["environment_bible"], 0, 25_000) != ""
    assert first_error(BY_NAME["capital"], 0, 119_999) != ""


def test_control_an_enclosure_too_wide_decides_nothing() -> None:
    subject = BY_NAME["environment_specification"]
    wide = replace(subject, truth=lambda point: subject.truth(point) + arb(0, 1e-9))
    assert "nothing decided" in first_error(wide, 0, 0)


# --- ends, and the two arguments of micro_bible --------------------------------------------------


@pytest.mark.req("KRN-SURV-023")
def test_readings_past_the_end_are_clamped() -> None:
    for name in (
        "structural_decay_bible",
        "structural_decay_specification",
        "environment_bible",
        "environment_specification",
    ):
        code = BY_NAME[name].code
        assert code(AGE_S_MAX + 1) == code(10**15) == code(AGE_S_MAX)
    for name in ("latency_specification", "jitter_specification"):
        code = BY_NAME[name].code
        assert code(LATENCY_MS_MAX + 1) == code(10**15) == code(LATENCY_MS_MAX)


@pytest.mark.req(
    "KRN-SURV-002",
    "KRN-SURV-003",
    "KRN-SURV-008",
    "KRN-SURV-009",
    "KRN-SURV-010",
    "KRN-SURV-012",
    "KRN-SURV-013",
)
def test_exact_ends() -> None:
    assert curves.structural_decay_bible(21_600) == PPM > curves.structural_decay_bible(21_601)
    assert curves.structural_decay_bible(AGE_S_MAX) == 0
    assert curves.structural_decay_specification(30) == PPM
    assert curves.structural_decay_specification(31) < PPM
    assert curves.structural_decay_specification(7_199) > 100_000
    assert curves.structural_decay_specification(7_200) == 100_000
    assert curves.environment_bible(0) == curves.environment_specification(0) == 300_000
    assert curves.environment_bible(AGE_S_MAX) == 999_999
    assert curves.environment_specification(3_599) < PPM
    assert curves.environment_specification(3_600) == PPM
    assert curves.latency_specification(200) == PPM > curves.latency_specification(201)
    assert curves.jitter_specification(50) == PPM > curves.jitter_specification(51)
    assert curves.depth_specification(800_000) == PPM > curves.depth_specification(799_999)
    assert curves.depth_specification(0) == 0


@pytest.mark.req("KRN-SURV-005")
@pytest.mark.random
def test_micro_bible_depends_on_the_smaller_reading_alone() -> None:
    """The diagonal is checked whole; off it the value is the diagonal's at the smaller one."""
    seed = 20_261_121
    print(f"seed {seed}")
    chance = random.Random(seed)
    pairs = [(chance.randint(0, PPM), chance.randint(0, PPM)) for _ in range(20_000)]
    pairs += [(0, PPM), (PPM, 0), (0, 0), (PPM, PPM), (PPM - 1, PPM), (PPM, PPM - 1)]
    for depth, fill in pairs:
        smaller = min(depth, fill)
        assert curves.micro_bible(depth, fill) == curves.micro_bible(smaller, smaller)


# --- what the documents say ----------------------------------------------------------------------


def last_at_least(curve: Callable[[int], int], bound: int, last: int) -> int:
    """Return the last input at which a falling curve is still at least the bound."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if curve(middle) >= bound else (low, middle - 1)
    return low


@pytest.mark.req("KRN-SURV-015")
def test_capital_at_the_known_drawdowns() -> None:
    assert curves.capital(0) == 973_403
    assert curves.capital(50_000) == 890_903
    assert curves.capital(120_000) == 500_000
    assert curves.capital(200_000) == 83_172  # bible 11.2 says about 0.1
    assert last_at_least(curves.capital, 900_000, PPM) == 46_759  # APEX ends at 4.68 %
    assert last_at_least(curves.capital, 750_000, PPM) == 83_379  # entries end at 8.34 %
    assert last_at_least(curves.capital, 500_000, PPM) == 120_000


@pytest.mark.req("KRN-SURV-003")
def test_forewarner_of_the_specification_ends_apex_within_minutes() -> None:
    alone = last_at_least(curves.structural_decay_specification, 850_000, AGE_S_MAX)
    assert alone == 536  # 8 min 56 s for the factor itself

    def beside_capital(age_s: int) -> int:
        return curves.capital(0) * curves.structural_decay_specification(age_s) // PPM

    assert last_at_least(beside_capital, 850_000, AGE_S_MAX) == 452  # 7.5 min for R


def first_at_least(curve: Callable[[int], int], bound: int, last: int) -> int:
    """Return the first input at which a rising curve is at least the bound."""
    return last - last_at_least(lambda point: curve(last - point), bound, last)


def document_rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "CURVES.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]


@pytest.mark.req("KRN-SURV-021")
def test_the_document_gives_the_codes_values() -> None:
    rows = [row for row in document_rows() if row[0].startswith("`")]
    assert {row[0].strip("`") for row in rows} == set(BY_NAME)
    for name, reading, value, _ in rows:
        subject = BY_NAME[name.strip("`")]
        assert subject.code(int(reading.split()[0])) == int(value), (name, reading)


def test_the_document_counts_every_input() -> None:
    total = sum(subject.last + 1 for subject in SUBJECTS)
    text = (ROOT / "docs" / "CURVES.md").read_text(encoding="utf-8")
    assert f" all {total:,} inputs" in " ".join(text.split())


def test_the_document_says_where_each_posture_ends() -> None:
    """Each reading alone, beside the capital factor at no drawdown, against the gates."""

    def beside_capital(curve: Callable[[int], int]) -> Callable[[int], int]:
        return lambda point: curves.capital(0) * curve(point) // PPM

    def percent(point: int) -> str:
        return f"{point / 10_000:.2f} %"

    def share(point: int) -> str:
        return f"{point / PPM:.3f}"

    bible, going_down = (900_000, 750_000, 500_000), (850_000, 700_000, 450_000)
    readings: dict[tuple[str, str], tuple[str, tuple[int, ...], Callable[[int], str]]] = {
        ("bible", "drawdown"): ("capital", bible, percent),
        ("bible", "age of the forewarner"): ("structural_decay_bible", bible, "{} s".format),
        ("bible", "book, min(depth, fill)"): ("micro_bible", bible, share),
        ("specification, going down", "drawdown"): ("capital", going_down, percent),
        ("specification, going down", "age of the forewarner"): (
            "structural_decay_specification",
            going_down,
            "{} s".format,
        ),
        ("specification, going down", "latency"): (
            "latency_specification",
            going_down,
            "{} ms".format,
        ),
        ("specification, going down", "jitter"): (
            "jitter_specification",
            going_down,
            "{} ms".format,
        ),
        ("specification, going down", "depth"): ("depth_specification", going_down, share),
    }
    rows = {(row[0], row[1]): row[2:] for row in document_rows() if len(row) == 5}
    del rows["profile", "one reading alone"], rows["---", "---"]
    assert set(rows) == set(readings)
    for key, (name, gates, show) in readings.items():
        subject = BY_NAME[name]
        curve = subject.code if name == "capital" else beside_capital(subject.code)
        find = first_at_least if subject.rises else last_at_least
        assert rows[key] == [show(find(curve, gate, subject.last)) for gate in gates], key


@pytest.mark.req("KRN-SURV-012", "KRN-SURV-028", "KRN-SURV-032")
def test_apex_after_a_shock_and_from_zero() -> None:
    """R follows its target by at most 2 % of the gap a minute (bible 11.4), in bars of 5 s."""
    healthy = curves.capital(0)

    def minutes_to_apex(start: int, target: Callable[[int], int]) -> float:
        multiplier = start
        for bar in range(1, 10_000):
            gap = target(5 * bar) - multiplier
            multiplier += recovery_step(5_000, gap, Profile.BIBLE)
            if multiplier >= 900_000:
                return bar * 5 / 60
        return float("inf")

    def after_shock(age_s: int) -> int:
        return healthy * curves.environment_bible(age_s) // PPM

    assert first_at_least(after_shock, 900_000, AGE_S_MAX) == 8_022
    assert round(minutes_to_apex(after_shock(0), after_shock)) == 209
    assert round(minutes_to_apex(0, lambda _: healthy), 1) == 129.4


# --- digits and corners, at the few points where an error of one would show ----------------------
#
# ``test_curves.py`` looks at every input, in processes of their own, for minutes of processor time.
# Here the points are the ends: each value of each digit, and the input before it.


def corners(digits: int) -> list[int]:
    """Each value of each base-8 digit alone, the number before it, and all digits at their last."""
    alone = [digit * 8**place for place in range(digits) for digit in range(1, 8)]
    return sorted({0, *alone, *(each - 1 for each in alone), 8**digits - 1})


@pytest.mark.parametrize(
    ("down", "digits", "rate"),
    [
        (exp_down, 9, -arb(1) / EXP_UNIT),
        (decade_down, 5, -arb(10).log() / DECADE_UNIT),
    ],
    ids=["exp_down", "decade_down"],
)
def test_every_digit_has_its_weight(down: Callable[[int], int], digits: int, rate: arb) -> None:
    assert corners(digits)[-1] == {9: EXP_MAX, 5: DECADE_MAX}[digits]
    for n in corners(digits):
        true = ONE * (rate * n).exp()
        assert down(n) <= true < down(n) + ERROR_MAX + 1, n
        assert type(down(n)) is int


def test_a_factor_is_an_integer_where_it_does_not_come_out_even() -> None:
    assert [micro_bible(depth, 1_000_000) for depth in (0, 1, 2, 3, 10, 11)] == [
        300_000, 300_000, 300_001, 300_002, 300_007, 300_007,
    ]  # fmt: skip
    assert type(micro_bible(1, 1)) is int


def test_the_two_forms_of_capital_meet_in_the_middle() -> None:
    assert [capital(drawdown) for drawdown in (119_999, 120_000, 120_001)] == [
        500_007, 500_000, 499_992,
    ]  # fmt: skip
