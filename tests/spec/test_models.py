"""The real models, by the real TLC: a sample of them by the run's seed, controls included.

The whole fast lane is an item of ``dolphin verify``, and is ``dolphin check`` (``make check``): it
is not run a second time here. What is drawn here is asked anew, whatever was kept before.
"""

import random

import pytest

from verify.models.checking import SPEC_FOLDER, check_rows, judge_suite
from verify.models.manifest import load_manifest

MODELS, CONTROLS = 2, 6
QUICK_STATES = 20_000  # generated: what is drawn takes seconds


@pytest.mark.slow
@pytest.mark.random
def test_a_sample_of_models_holds_and_of_controls_fails_as_named(rng: random.Random) -> None:
    rows = [row for row in load_manifest(SPEC_FOLDER) if 0 <= row.generated < QUICK_STATES]
    models = rng.sample([row for row in rows if not row.control], MODELS)
    controls = rng.sample([row for row in rows if row.control], CONTROLS)
    judged = check_rows(SPEC_FOLDER, [*models, *controls], use_cache=False)
    assert {one.row.name: one.problems for one in judged if not one.ok} == {}
    assert all(one.run.result == "success" for one in judged[:MODELS])
    assert all(one.run.result == one.row.expected != "success" for one in judged[MODELS:])


def test_the_suite_is_whole() -> None:
    rows = load_manifest(SPEC_FOLDER)
    assert judge_suite(SPEC_FOLDER, rows) == ()
    assert all(row.pinned for row in rows)
    # Both profiles, safety and liveness, are there.
    assert {row.mode for row in rows if not row.control} >= {"safety", "liveness", "assumptions"}
    modules = {row.module for row in rows if not row.control}
    for part in ("KillSwitch", "Survival", "Posture", "Gate", "Ledger", "Kernel"):
        assert f"MC{part}" in modules
