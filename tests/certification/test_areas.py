"""The areas: every claim has one, the worst claim decides, and no remedy leads back."""

from dataclasses import replace
from pathlib import Path

import pytest

from certification.areas import AREAS, area_of, summaries
from certification.artefacts import collect
from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, Claim
from certification.collectors import judge
from certification.terminal import package_lines


def claims_of(run: Path) -> tuple[Claim, ...]:
    return judge(collect(run, run.parent.parent, {}))


def test_every_claim_has_one_area(run: Path) -> None:
    for claim in claims_of(run):
        assert sum(claim.id.startswith(area.stems) for area in AREAS) == 1, claim.id
    assert {one.area.name for one in summaries(claims_of(run))} == {area.name for area in AREAS}
    with pytest.raises(LookupError):
        area_of(replace(claims_of(run)[0], id="NEW-CLAIM"))


def test_the_worst_claim_decides(run: Path) -> None:
    for state, mixed in ((HOLDS, HOLDS), (NOT_RUN, NOT_RUN), (DOES_NOT_HOLD, DOES_NOT_HOLD)):
        claims = list(claims_of(run))
        place = next(n for n, claim in enumerate(claims) if claim.id.startswith("PRF-"))
        claims[place] = replace(claims[place], status=state)
        (proofs,) = [one for one in summaries(tuple(claims)) if "proofs" in one.area.name]
        assert proofs.status == mixed
        assert len(proofs.open) == (state != HOLDS)


def test_what_does_not_hold_is_said_in_full_and_what_was_not_run_has_a_remedy(run: Path) -> None:
    (run / "verify.json").unlink()
    claims = list(claims_of(run))
    claims[0] = replace(claims[0], status=DOES_NOT_HOLD, detail="it broke")
    lines = package_lines(tuple(claims))
    assert lines[0].startswith("Evidence FAIL: a claim does not hold")
    assert any(claims[0].id in line and "it broke" in line for line in lines)
    assert any("not run" in line and "make check-all" in line for line in lines)
    assert not any("SHOWN-" in line for line in lines)


def test_no_remedy_names_the_command_that_was_just_run(run: Path) -> None:
    """A session that has run is not told to run again, whatever else is missing."""
    for name in ("verify.json", "junit.xml", "check.json"):
        (run / name).unlink()
    session = (run / "session.json").read_text().replace('"held": true', '"held": false')
    (run / "session.json").write_text(session)
    claims = claims_of(run)
    open_areas = [one for one in summaries(claims) if one.status != HOLDS]
    assert len(open_areas) > 5
    assert not [one.area.name for one in open_areas if "run" in one.area.remedy.split()[1:2]]
    words = {one.area.name: one.word for one in open_areas}
    assert words["isolation of the processes"] == "not met"
    assert words["tests"] == "not run"
    assert not [one.id for one in claims if one.status == NOT_RUN and one.command == "make run"]
