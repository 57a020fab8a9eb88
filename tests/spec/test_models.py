"""The real models, by the real TLC: the fast lane of `dolphin check`, its controls included.

Results are cached by the hash of everything they depend on (``.cache/check``), so a second run of
the tests asks TLC nothing. ``dolphin check --no-cache`` asks again.
"""

import json

import pytest
from click.testing import CliRunner

from dolphin.commands.check import command
from verify.models.checking import SPEC_FOLDER, judge_suite
from verify.models.manifest import load_manifest


@pytest.fixture(scope="module")
def document() -> dict:
    """The JSON of one run of the fast lane."""
    result = CliRunner().invoke(command, ["--lane", "fast", "--json"])
    assert result.stdout, result.stderr
    found = json.loads(result.stdout)
    found["exit_code"] = result.exit_code
    return found


@pytest.mark.slow
def test_the_fast_lane_holds(document: dict) -> None:
    wrong = {model["name"]: model["problems"] for model in document["models"] if model["problems"]}
    assert wrong == {}
    assert document["problems"] == []
    assert document["ok"] is True
    assert document["exit_code"] == 0


@pytest.mark.slow
def test_every_negative_control_fails_as_named(document: dict) -> None:
    controls = document["negative_controls"]
    assert controls["total"] > 0
    assert controls["failed_as_expected"] == controls["total"]
    for model in document["models"]:
        if model["control"]:
            assert model["result"] == model["expected"] != "success"


def test_the_suite_is_whole() -> None:
    rows = load_manifest(SPEC_FOLDER)
    assert judge_suite(SPEC_FOLDER, rows) == ()
    assert all(row.pinned for row in rows)
    # Both profiles, safety and liveness, are there.
    assert {row.mode for row in rows if not row.control} >= {"safety", "liveness", "assumptions"}
    modules = {row.module for row in rows if not row.control}
    for part in ("KillSwitch", "Survival", "Posture", "Gate", "Ledger", "Kernel"):
        assert f"MC{part}" in modules
