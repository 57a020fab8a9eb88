"""What is refused twice counts twice, and factors are shown by the profile in force.

Not here: the names of the parts (``test_places_snapshot.py``).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from dolphin.link.config import Config
from dolphin.shell.journal import open_journal
from dolphin.shell.snapshot import factors
from kernel.constants import Profile
from kernel.curves import environment_bible, environment_specification
from kernel.state import initial_state, opening_ledger
from tests.dolphin.shell.conftest import LIMITS
from tests.dolphin.shell.test_process import config_in

AGE_S = 600


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_in(tmp_path, "places-account")


@pytest.mark.req("SHL-034")
def test_each_posting_that_the_machine_refuses_is_counted(config: Config) -> None:
    journal, state, _restarted = open_journal(config)
    paid = replace(state.ledger, fees=state.ledger.fees + 5, cash=state.ledger.cash - 5)
    try:
        journal.fail(True)
        journal.post(paid, 2)
        journal.post(paid, 3)
    finally:
        journal.fail(False)
    assert journal.account()["post_failures"] == 2
    journal.close()


@pytest.mark.req("SHL-024")
@pytest.mark.parametrize(
    ("profile", "curve"),
    [(Profile.BIBLE, environment_bible), (Profile.SPECIFICATION, environment_specification)],
    ids=["bible", "specification"],
)
def test_the_environment_is_the_profiles(profile: Profile, curve: object) -> None:
    assert callable(curve)
    assert environment_bible(AGE_S) != environment_specification(AGE_S), "the two differ here"
    state = initial_state(replace(LIMITS, profile=profile), opening_ledger(7), 1, 2)
    shocked = replace(state, survival=replace(state.survival, shock_age_ms=1_000 * AGE_S))
    assert factors(shocked)["environment_ppm"] == curve(AGE_S)
