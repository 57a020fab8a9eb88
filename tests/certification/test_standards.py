"""Two standards: all rows are there, none is greener than its claims, some are never green."""

from dataclasses import replace
from pathlib import Path

import pytest

from certification.annex_a import OBJECTIVES, TABLES
from certification.appendix_b import CRITERIA
from certification.artefacts import collect
from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, Claim
from certification.collectors import judge
from certification.standards import (
    ABSENT,
    FULL,
    IN_PART,
    INDEPENDENT,
    NEVER_GREEN,
    ORGANISATION,
    STATUSES,
    Row,
    assess,
)

EVERY = (*CRITERIA, *OBJECTIVES)


def held(run: Path) -> tuple[Claim, ...]:
    claims = judge(collect(run, run.parent.parent, {}))
    return tuple(replace(claim, status=HOLDS) for claim in claims)


def states(rows: tuple[Row, ...], claims: tuple[Claim, ...]) -> dict[str, str]:
    return {one.row.number: one.status for one in assess(rows, claims)}


def test_criteria_that_need_people_are_never_met(run: Path) -> None:
    found = states(CRITERIA, held(run))
    people = {"I", "II", "IV", "VII", "X", "XVIII"}
    assert {n for n, s in found.items() if s in (ORGANISATION, INDEPENDENT)} == people
    assert {n for n, s in found.items() if s == IN_PART} == {"IX", "XIII"}
    assert {n for n, s in found.items() if s == HOLDS} == (
        {"III", "V", "VI", "VIII", "XI", "XII", "XIV", "XV", "XVI", "XVII"}
    )
    assert len(CRITERIA) == 18


def test_annex_a_has_its_71_objectives_in_order_and_30_ask_for_independence() -> None:
    sizes = [(name, len(rows)) for name, _, rows in TABLES]
    assert sizes == [("A-1", 7), ("A-2", 7), ("A-3", 7), ("A-4", 13), ("A-5", 9), ("A-6", 5),
                     ("A-7", 9), ("A-8", 6), ("A-9", 5), ("A-10", 3)]  # fmt: skip
    numbers = [f"{name}.{place}" for name, size in sizes for place in range(1, size + 1)]
    assert [row.number for row in OBJECTIVES] == numbers
    assert len(numbers) == 71
    assert sum(row.independent for row in OBJECTIVES) == 30


def test_what_asks_for_independence_is_never_green(run: Path) -> None:
    found = states(OBJECTIVES, held(run))
    for row in OBJECTIVES:
        if row.independent or row.kind != FULL:
            assert found[row.number] != HOLDS, row.number
        else:
            assert found[row.number] == HOLDS, row.number
    assert ABSENT in found.values()


@pytest.mark.parametrize("state", [NOT_RUN, DOES_NOT_HOLD])
def test_a_row_is_as_good_as_its_worst_claim(run: Path, state: str) -> None:
    every = held(run)
    for row in EVERY:
        if row.kind in NEVER_GREEN:
            assert row.claims == (), row.number
            continue
        for wanted in row.claims:
            stem = wanted.rstrip("*")
            spoilt = tuple(replace(c, status=state) if c.id.startswith(stem) else c for c in every)
            left_out = tuple(c for c in every if not c.id.startswith(stem))
            assert states((row,), spoilt)[row.number] == state
            assert states((row,), left_out)[row.number] == NOT_RUN


def test_every_state_has_its_place_in_the_order(run: Path) -> None:
    claims = held(run)
    for state in (HOLDS, NOT_RUN, DOES_NOT_HOLD):
        changed = tuple(replace(claim, status=state) for claim in claims)
        assert {one.status for one in assess(EVERY, changed)} <= set(STATUSES)


def test_a_row_without_a_claim_that_could_show_it_is_not_run(run: Path) -> None:
    assert states((Row("X", "x", FULL, (), "x"),), held(run)) == {"X": NOT_RUN}


def test_every_row_says_what_its_artefact_is_and_names_claims_that_exist(run: Path) -> None:
    ids = {claim.id for claim in held(run)}
    for row in EVERY:
        assert row.text, row.number
        for wanted in row.claims:
            assert any(name.startswith(wanted.rstrip("*")) for name in ids), (row.number, wanted)
