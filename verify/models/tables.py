"""Tables of the kernel's curves for the models.

The models take the curves as CONSTANT operators. For traces these tables fill them, in real units:
``curve_table(name, inputs)`` gives the kernel's own value at each input that occurs, sorted and
without repeats. A model that reads it agrees with the kernel on the curve by construction; that the
curve is right is shown against enclosures elsewhere (tests/kernel/test_curves.py), so the model is
not asked to judge it.

``micro_bible`` has two arguments of which only the smaller counts; here it has that one.

Not here: writing TLA+ text; the small models' hand-picked bands (``MCKernel``, ``MCSurvival``),
which tests/conformance/test_curve_tables.py holds to the kernel's curves. Nothing here is
used by a running system.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kernel import curves
from kernel.constants import AGE_S_MAX, LATENCY_MS_MAX, PPM


@dataclass(frozen=True)
class Curve:
    """One curve: the kernel's function, its last input; the first is 0."""

    code: Callable[[int], int]
    last: int


def _micro_bible(score_ppm: int) -> int:
    return curves.micro_bible(score_ppm, score_ppm)


CURVES: Mapping[str, Curve] = MappingProxyType(
    {
        "structural_decay_bible": Curve(curves.structural_decay_bible, AGE_S_MAX),
        "structural_decay_specification": Curve(curves.structural_decay_specification, AGE_S_MAX),
        "environment_bible": Curve(curves.environment_bible, AGE_S_MAX),
        "environment_specification": Curve(curves.environment_specification, AGE_S_MAX),
        "capital": Curve(curves.capital, PPM),
        "micro_bible": Curve(_micro_bible, PPM),
        "latency_specification": Curve(curves.latency_specification, LATENCY_MS_MAX),
        "jitter_specification": Curve(curves.jitter_specification, LATENCY_MS_MAX),
        "depth_specification": Curve(curves.depth_specification, PPM),
    }
)


def _curve(name: str) -> Curve:
    if name not in CURVES:
        raise ValueError(f"no curve named {name!r}; expected one of {', '.join(CURVES)}")
    return CURVES[name]


# KRN-CONF-004
def curve_table(name: str, inputs: Iterable[int]) -> list[tuple[int, int]]:
    """Return (input, value in ppm) for each distinct input, ascending.

    Inputs are in the curve's own unit (s, ms or ppm). Raises ValueError on an unknown name and on
    an input outside 0..last: the models have no clamp.
    """
    curve = _curve(name)
    points = sorted(set(inputs))
    for point in points:
        if not 0 <= point <= curve.last:
            raise ValueError(f"{name}: input {point} is outside 0..{curve.last}")
    return [(point, curve.code(point)) for point in points]
