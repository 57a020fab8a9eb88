"""The audit's decimals agree with the kernel's integers, though they share nothing."""

import random

import pytest

from kernel.constants import PPM, Profile
from traces.audit.curves import CURVES, curve_value
from verify.models import tables

PAIRS = [
    ("CapitalCurve", Profile.BIBLE, "capital"),
    ("StructuralDecay", Profile.BIBLE, "structural_decay_bible"),
    ("StructuralDecay", Profile.SPECIFICATION, "structural_decay_specification"),
    ("EnvironmentCurve", Profile.BIBLE, "environment_bible"),
    ("EnvironmentCurve", Profile.SPECIFICATION, "environment_specification"),
    ("LatencyCurve", Profile.SPECIFICATION, "latency_specification"),
    ("JitterCurve", Profile.SPECIFICATION, "jitter_specification"),
    ("DepthCurve", Profile.SPECIFICATION, "depth_specification"),
]


@pytest.mark.req("AUD-010")
def test_every_curve_of_the_models_is_here() -> None:
    assert {name for name, _, _ in PAIRS} == set(CURVES)


@pytest.mark.req("KRN-SURV-021")
@pytest.mark.parametrize(("name", "profile", "code"), PAIRS)
def test_decimals_and_integers_agree(
    name: str, profile: Profile, code: str, rng: random.Random
) -> None:
    last = tables.CURVES[code].last
    points = {0, 1, 29, 30, 31, 50, 51, 199, 200, 201, 3599, 3600, 7199, 7200, 21_600, 21_601}
    points |= {119_999, 120_000, 120_001, 799_999, 800_000, PPM, last, last - 1}
    points |= {rng.randrange(last + 1) for _ in range(3_000)}
    points |= {rng.randrange(min(last, 20_000) + 1) for _ in range(3_000)}
    for point, value in tables.curve_table(code, (p for p in points if p <= last)):
        assert curve_value(name, profile, point) == value, (name, profile, point)
