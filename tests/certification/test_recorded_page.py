"""What rests on a record looks like it, on the page and on the terminal, by date and hash."""

import re
from pathlib import Path

import pytest

from certification.areas import summaries
from certification.artefacts import collect
from certification.claims import Claim
from certification.collectors import judge
from certification.page import page
from certification.terminal import package_lines
from tests.certification.test_page import checked
from tests.certification.test_recorded_claims import put, recorded_whole


def made(run: Path) -> tuple[str, str, tuple[Claim, ...]]:
    """Return the page, its text without markup, and the claims."""
    inputs = collect(run, run.parent.parent, {})
    claims = judge(inputs)
    text = page(inputs, claims)
    found = checked(text)
    assert (found.faults, found.open, found.empty_cells) == ([], [], 0)
    return text, " ".join(re.sub(r"<[^>]+>", " ", text).split()), claims


@pytest.fixture
def unrun(run: Path) -> Path:
    """Return the run without anything that verification ran here."""
    for name in ("verify.json", "check.json", "junit.xml"):
        (run / name).unlink()
    return run


def test_a_first_run_shows_recorded_evidence_by_date_and_hash(unrun: Path) -> None:
    recorded_whole(unrun)
    text, words, claims = made(unrun)
    recorded = sum(claim.basis == "recorded" for claim in claims)
    assert recorded > 10
    assert f"({len(claims) - recorded} run here, {recorded} recorded)" in words
    assert "2026-11-20T12:00:00+00:00" in words
    assert "commit 0123456789ab" in words
    assert "what is on record, of 2026-11-20" in words
    assert "It is a claim, not a proof" in words
    for name in ("proofs", "mutants-code", "rocq"):
        assert f'href="../../certification/records/{name}.json"' in text
    lines = package_lines(claims)
    assert "Evidence PASS" in lines[0]
    assert f"{recorded} recorded by an earlier run" in lines[1]
    (proofs,) = [line for line in lines if "proofs of the code" in line]
    assert proofs.endswith(" recorded")


def test_control_what_is_stale_or_in_part_is_never_shown_as_held(unrun: Path) -> None:
    recorded_whole(unrun)
    put(unrun, "rocq", inputs_sha256="0" * 64)
    put(unrun, "mutants-code", whole=False)
    _, words, claims = made(unrun)
    by_id = {claim.id: claim for claim in claims}
    assert [by_id[name].status for name in ("PRF-ROCQ", "MUT-CODE")] == ["not run", "not run"]
    assert "rocq stale recorded 2026-11-20 for other inputs" in words
    assert "mutants-code recorded in part" in words
    lines = package_lines(claims)
    assert "Evidence INCOMPLETE" in lines[0]
    for area in ("proofs of the code", "mutants killed"):
        (line,) = [line for line in lines if area in line]
        assert line.split()[:2] == ["not", "run"]
        assert "make check-all" in line


def test_an_area_says_what_its_claims_rest_on(unrun: Path) -> None:
    recorded_whole(unrun)
    put(unrun, "rocq", inputs_sha256="0" * 64)
    rests = {one.area.name: one.rests_on for one in summaries(made(unrun)[2])}
    assert rests["the session"] == "run here"
    assert rests["tests"] == "recorded"
    assert rests["proofs of the code"] == "2 recorded, 1 stale"
