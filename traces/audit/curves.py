"""The survival curves once more, from the formulas and in decimals, for the models' tables.

The models take curves as tables. A table filled from the kernel's own code would agree with the
kernel whatever the kernel did, so the audit computes them another way: the sources' formula in
60-digit decimals (the standard library's, whose ``exp`` is correctly rounded), floored to ppm. That
the kernel's integers are within 512-bit enclosures on every input is tests/kernel/test_curves.py's;
that these decimals agree with the kernel is tests/traces/audit/test_curves.py's.

Rules of this file: directed rounding, always down, where a result may lie just below a whole ppm
(the environment's curve never reaches 1). Nothing is imported from ``kernel.curves``.

Sources: bible 11.2; specification VI.1 category 2 to 4; the scales of microstructure in the
specification are ours (docs/CURVES.md).
"""

from collections.abc import Callable
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from functools import lru_cache

from kernel.constants import PPM, Profile

_CONTEXT = Context(prec=60, rounding=ROUND_FLOOR, Emin=-999_999, Emax=999_999)
_ONE = Decimal(1)


def _floor_ppm(value: Decimal) -> int:
    return int((value * PPM).to_integral_value(rounding=ROUND_FLOOR))


def _decay(amount: int, scale: int) -> Decimal:
    """Return exp(-amount / scale)."""
    return (Decimal(-amount) / scale).exp()


def structural_bible(age_s: int) -> int:
    """Return exp(-max(0, h - 6) / 3), h in hours."""
    return _floor_ppm(_decay(max(0, age_s - 6 * 3600), 3 * 3600))


def structural_specification(age_s: int) -> int:
    """Return 1 up to 30 s, then 10^(-(age - 30) / 7170) down to 0.1 at two hours."""
    if age_s >= 7200:
        return PPM // 10
    return _floor_ppm((Decimal(10).ln() * -max(0, age_s - 30) / 7170).exp())


def environment_bible(age_s: int) -> int:
    """Return 0.3 + 0.7 (1 - exp(-t / 60 min))."""
    return _floor_ppm(Decimal("0.3") + Decimal("0.7") * (_ONE - _decay(age_s, 3600)))


def environment_specification(age_s: int) -> int:
    """Return 0.3 to 1 in a straight line over 60 min."""
    return _floor_ppm(Decimal("0.3") + Decimal("0.7") * min(age_s, 3600) / 3600)


def capital(drawdown_ppm: int) -> int:
    """Return 1 / (1 + exp(30 (drawdown - 0.12)))."""
    return _floor_ppm(_ONE / (_ONE + (Decimal(30 * (drawdown_ppm - 120_000)) / PPM).exp()))


def latency(latency_ms: int) -> int:
    """Return 1 up to 200 ms, then exp(-(ms - 200) / 1000)."""
    return _floor_ppm(_decay(max(0, latency_ms - 200), 1000))


def jitter(jitter_ms: int) -> int:
    """Return 1 up to 50 ms, then exp(-(ms - 50) / 250)."""
    return _floor_ppm(_decay(max(0, jitter_ms - 50), 250))


def depth(depth_ppm: int) -> int:
    """Return 1 from a depth of 0.8 up, depth / 0.8 below."""
    return _floor_ppm(min(_ONE, Decimal(depth_ppm) / 800_000))


CURVES: dict[str, dict[Profile, Callable[[int], int]]] = {
    "CapitalCurve": {Profile.BIBLE: capital, Profile.SPECIFICATION: capital},
    "StructuralDecay": {
        Profile.BIBLE: structural_bible,
        Profile.SPECIFICATION: structural_specification,
    },
    "EnvironmentCurve": {
        Profile.BIBLE: environment_bible,
        Profile.SPECIFICATION: environment_specification,
    },
    "LatencyCurve": {Profile.BIBLE: latency, Profile.SPECIFICATION: latency},
    "JitterCurve": {Profile.BIBLE: jitter, Profile.SPECIFICATION: jitter},
    "DepthCurve": {Profile.BIBLE: depth, Profile.SPECIFICATION: depth},
}


@lru_cache(maxsize=1 << 18)
def curve_value(name: str, profile: Profile, point: int) -> int:
    """Return the curve's value at ``point`` (>= 0) in ppm, the floor of the true value."""
    with localcontext(_CONTEXT):
        return CURVES[name][profile](point)
