"""The small models' curve tables are the kernel's curves, cut into bands.

In real units (replayed edges, traces) the tables are generated from ``kernel/curves.py`` as they
are. The small models have hand-picked bands, so that few of them give every posture; here each
picked value is held to the kernel's curve: the same direction, and a value that the curve has at
that scale (``band_values``), but for one unit at a shock's first band, named below.
"""

import re
from itertools import pairwise

import pytest

from tests.kernel.curve_check import BY_NAME
from tests.spec.bands import band_values
from verify.models.checking import SPEC_FOLDER

# Module, its ONE, and for each operator the kernel's curves that it stands for.
SCALES = {"MCKernel": 4, "MCSurvival": 16}
STANDS_FOR = {
    "MCCapitalCurve": ("capital",),
    "MCStructuralDecay": ("structural_decay_bible", "structural_decay_specification"),
    "MCEnvironmentCurve": ("environment_bible", "environment_specification"),
    "MCLatencyCurve": ("latency_specification",),
    "MCJitterCurve": ("jitter_specification",),
}
# 0.3 of 4 is 1.2, of 16 is 4.8. The small Kernel rounds up, so that a shock leaves a posture that
# still counts bars (spec/tla/README.md); Survival rounds down.
SHOCK = {"MCKernel": 2, "MCSurvival": 4}


def table(module: str, operator: str) -> tuple[int, ...]:
    """Return the tuple that an operator of a module looks values up in."""
    text = (SPEC_FOLDER / f"{module}.tla").read_text()
    match = re.search(rf"(?m)^{operator}\(\w+\) == Table\(<<([\d, ]+)>>", text)
    assert match is not None, f"{module}: no table {operator}"
    return tuple(int(value) for value in match.group(1).split(","))


def faults(values: tuple[int, ...], operator: str, module: str) -> list[str]:
    """Return what is wrong with a table, one sentence each."""
    found: list[str] = []
    one = SCALES[module]
    for name in STANDS_FOR[operator]:
        rises = BY_NAME[name].rises
        if not all(a <= b if rises else a >= b for a, b in pairwise(values)):
            found.append(f"{name} {'rises' if rises else 'falls'}, the table does not")
        allowed = set(band_values(name, one))
        if operator == "MCEnvironmentCurve":
            allowed.add(SHOCK[module])
        found += [f"{name} is never {value} of {one}" for value in values if value not in allowed]
        best = max(band_values(name, one))
        if best not in values:
            found.append(f"{name} reaches {best}, the table does not")
    return found


@pytest.mark.req("KRN-CONF-004")
@pytest.mark.parametrize("module", sorted(SCALES))
@pytest.mark.parametrize("operator", sorted(STANDS_FOR))
def test_a_table_is_a_cut_of_the_kernels_curve(module: str, operator: str) -> None:
    assert faults(table(module, operator), operator, module) == []


def test_a_table_that_is_not_is_seen() -> None:
    assert faults((4, 3, 4), "MCCapitalCurve", "MCKernel")
    assert faults((4, 3, -1), "MCCapitalCurve", "MCKernel")
    assert faults((3, 1, 0), "MCCapitalCurve", "MCKernel")
    assert faults((1, 4, 16), "MCEnvironmentCurve", "MCSurvival")
    assert faults((16, 1), "MCStructuralDecay", "MCSurvival")
