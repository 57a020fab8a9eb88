"""Claims that rest on records: recorded, in part, stale or contradicted, and each says which."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from certification import record
from certification.artefacts import collect
from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, Claim, verdicts
from certification.collectors import judge
from certification.collectors.verified import RULINGS
from certification.standing import IN_PART, RECORDED, RUN_HERE, STALE, Now, reads
from tests.certification import a_run

RAN = {"at": "2026-11-20T12:00:00+00:00", "seconds": 1.0, "machine": "m", "python": "3.12",
       "command": "dolphin verify --lane full", "commit": "0123456789abcdef"}  # fmt: skip
NAMES = {row[2]: row[0] for row in RULINGS}


def put(run: Path, item: str, **changes: Any) -> None:
    """Write an item's record, of the inputs as they are unless ``changes`` says otherwise."""
    root = run.parent.parent
    section = a_run.ITEMS.get(item, item)
    record.write(root, {
        "schema": 1, "item": item, "section": section, "claim": "c", "lane": "full",
        "status": "holds", "whole": True, "detail": "4,175 of 9,990", "findings": [],
        "figures": a_run.FIGURES.get(section, {}), "ran": RAN, "parts": {},
        "inputs_sha256": Now(root).inputs(reads(root)[item]), **changes,
    })  # fmt: skip


def claims(run: Path) -> dict[str, Claim]:
    return {claim.id: claim for claim in judge(collect(run, run.parent.parent, {}))}


@pytest.fixture
def unrun(run: Path) -> Path:
    """Return the run without anything that verification ran here."""
    for name in ("verify.json", "check.json", "junit.xml"):
        (run / name).unlink()
    return run


def recorded_whole(run: Path) -> None:
    """Record everything: items, models, tests."""
    for item in a_run.ITEMS:
        put(run, item)
    manifest = a_run.read_json(run.parent.parent / "spec/tla/manifest.json")["models"]
    rows = {
        row["name"]: {
            "result": row["expected"], "seconds": 1.5, "ran_at": RAN["at"],
            **{key: row[key] for key in ("distinct", "generated", "diameter")},
        }
        for row in manifest
    }  # fmt: skip
    put(run, "models", figures={"rows": rows})
    put(run, "tests", detail="2,000 passed, 0 failing, 3 skipped (not passed)")


def test_a_first_run_shows_the_whole_package_as_recorded(unrun: Path) -> None:
    before = claims(unrun)
    assert {before[name].status for name in NAMES.values()} == {NOT_RUN}
    recorded_whole(unrun)
    found = claims(unrun)
    said = verdicts(tuple(found.values()))
    assert (said.session, said.package) == ("PASS", "PASS")
    for name in (*NAMES.values(), "MOD-SUITE", "MOD-CONTROLS", "MOD-MCGATE", "TST-PASS"):
        assert (found[name].status, found[name].basis) == (HOLDS, RECORDED), found[name]
        assert "recorded 2026-11-20 at 012345678" in found[name].detail
        assert found[name].artefact.startswith("certification/records/")
    assert found["SES-VERDICT"].basis == RUN_HERE


def test_control_a_record_of_other_inputs_counts_as_not_run_and_is_named(unrun: Path) -> None:
    recorded_whole(unrun)
    root = unrun.parent.parent
    (root / "kernel/gate.py").write_text("PPM = 1000001\n", "utf-8")
    (root / "spec/tla/Kernel.tla").write_text("---- MODULE Kernel ----\nB == 1\n====\n", "utf-8")
    found = claims(unrun)
    for name in (*NAMES.values(), "MOD-SUITE", "MOD-CONTROLS", "MOD-MCGATE", "TST-PASS"):
        assert (found[name].status, found[name].basis) == (NOT_RUN, STALE), found[name]
    assert "recorded 2026-11-20 for other inputs" in found["PRF-CONTRACTS"].detail
    assert verdicts(tuple(found.values())).package == "INCOMPLETE"


def test_control_a_record_of_a_part_never_holds_and_says_which_part(unrun: Path) -> None:
    recorded_whole(unrun)
    put(unrun, "mutants-code", whole=False)
    claim = claims(unrun)["MUT-CODE"]
    assert (claim.status, claim.basis) == (NOT_RUN, IN_PART)
    assert "in part: 4,175 of 9,990" in claim.detail


def test_control_a_record_that_does_not_hold_is_shown_as_that(unrun: Path) -> None:
    recorded_whole(unrun)
    put(unrun, "rocq", status="does not hold", findings=["spec/rocq: admitted"])
    claim = claims(unrun)["PRF-ROCQ"]
    assert (claim.status, claim.basis) == (DOES_NOT_HOLD, RECORDED)
    assert "spec/rocq: admitted" in claim.detail


def test_control_the_figures_of_a_record_are_counted_again(unrun: Path) -> None:
    recorded_whole(unrun)
    figures = json.loads(json.dumps(a_run.FIGURES["proofs"])) | {"proved": 37}
    put(unrun, "proofs", figures=figures)
    assert claims(unrun)["PRF-CONTRACTS"].status == DOES_NOT_HOLD


def test_a_run_here_goes_before_its_record(run: Path) -> None:
    put(run, "rocq")
    assert (claims(run)["PRF-ROCQ"].status, claims(run)["PRF-ROCQ"].basis) == (HOLDS, RUN_HERE)


def test_control_a_forged_record_is_found_by_the_run_and_both_are_named(run: Path) -> None:
    root = run.parent.parent
    text = (root / "certification/inputs.toml").read_text("utf-8")
    (root / "certification/inputs.toml").write_text(
        text.replace('[item.rocq]\nfiles = ["kernel/*.py"]\ncompared = []',
                     '[item.rocq]\nfiles = ["kernel/*.py"]\ncompared = ["theorems"]'), "utf-8"
    )  # fmt: skip
    put(run, "rocq", figures=a_run.FIGURES["rocq"] | {"theorems": 62})
    claim = claims(run)["PRF-ROCQ"]
    assert claim.status == DOES_NOT_HOLD
    assert claim.detail == (
        "theorems: 61 as run here, 62 in certification/records/rocq.json: one of them is false"
    )
    put(run, "rocq", status="does not hold")
    assert "one of them is false" in claims(run)["PRF-ROCQ"].detail


def test_of_two_lanes_the_one_that_gives_an_outcome_counts(run: Path) -> None:
    root = run.parent.parent
    document = a_run.read_json(run / "verify.json")
    (run / "verify.json").unlink()
    old = json.loads(json.dumps(document))
    for row in old["items"]:
        row["inputs_sha256"] = "0"
    a_run.write_json(root / "runs/verify/full.json", old)
    assert claims(run)["PRF-ROCQ"].basis == STALE
    for row in document["items"]:
        row["figures"] = {**a_run.FIGURES[row["section"]], "theorems": 7}
    a_run.write_json(root / "runs/verify/fast.json", document)
    found = claims(run)["PRF-ROCQ"]
    assert (found.status, found.basis, found.artefact) == (HOLDS, RUN_HERE, "runs/verify/fast.json")
    assert found.detail.startswith("7 theorems"), "an item's own figures go first"


def test_rows_run_here_and_rows_recorded_stand_together_and_the_suite_says_so(run: Path) -> None:
    recorded_whole(run)
    document = a_run.read_json(run / "check.json")
    kept = [row for row in document["models"] if row["name"] in ("MCGate", "BadGateNoFlip")]
    a_run.write_json(run / "check.json", a_run.check_document(kept))
    found = claims(run)
    assert (found["MOD-MCGATE"].basis, found["MOD-MCKERNEL"].basis) == (RUN_HERE, RECORDED)
    assert (found["MOD-SUITE"].status, found["MOD-SUITE"].basis) == (HOLDS, RECORDED)


def test_rows_of_a_record_are_judged_against_the_manifest(unrun: Path) -> None:
    recorded_whole(unrun)
    path = record.file_of(unrun.parent.parent, "models")
    found = record.read(path, unrun.parent.parent)
    assert found is not None
    rows = found["figures"]["rows"]
    put(unrun, "models", figures={"rows": rows | {"MCKernel": rows["MCKernel"] | {"distinct": 9}}})
    assert claims(unrun)["MOD-MCKERNEL"].status == DOES_NOT_HOLD
    put(unrun, "models", figures={"rows": {"MCGate": rows["MCGate"]}}, whole=False)
    after = claims(unrun)
    assert after["MOD-MCGATE"].status == HOLDS
    assert (after["MOD-SUITE"].status, after["MOD-SUITE"].basis) == (NOT_RUN, IN_PART)


def test_every_record_that_is_read_is_listed_with_its_hash(run: Path) -> None:
    put(run, "rocq")
    files = {ref.name: ref.sha256 for ref in collect(run, run.parent.parent, {}).files}
    path = record.file_of(run.parent.parent, "rocq")
    assert files["certification/records/rocq.json"] == a_run.sha256(path)


def test_what_a_claim_rests_on_is_in_the_document(unrun: Path) -> None:
    recorded_whole(unrun)
    assert all(dataclasses.asdict(claim)["basis"] for claim in claims(unrun).values())
