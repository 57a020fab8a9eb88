"""Tables of the kernel's curves for the models.

The models take the curves as CONSTANT operators. These tables fill them, in two scales:

*   Traces, in real units: ``curve_table(name, inputs)`` gives the kernel's own value at each
    input that occurs, sorted and without repeats. A model that reads it agrees with the kernel on
    the curve by construction; that the curve is right is shown against enclosures elsewhere
    (tests/kernel/test_curves.py), so the model is not asked to judge it.
*   Model checking, small: ``band_table(name, one)`` cuts the curve's whole domain into bands on
    which it has one value in 0..one, and gives each band's first input and value, in order. The
    value is the nearest one, not the floor: at a scale of 4 a floor of 0.9734 would be 0.75, and
    no model could ever reach APEX. Nearest keeps the order, which is all that the models ask of
    a curve (they ASSUME it monotone).

``micro_bible`` has two arguments of which only the smaller counts; here it has that one.

Not here: writing TLA+ text. Nothing here is used by a running system.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kernel import curves
from kernel.constants import AGE_S_MAX, LATENCY_MS_MAX, PPM


@dataclass(frozen=True)
class Curve:
    """One curve: the kernel's function, its last input (the first is 0), and whether it rises."""

    code: Callable[[int], int]
    last: int
    rises: bool


def _micro_bible(score_ppm: int) -> int:
    return curves.micro_bible(score_ppm, score_ppm)


CURVES: Mapping[str, Curve] = MappingProxyType(
    {
        "structural_decay_bible": Curve(curves.structural_decay_bible, AGE_S_MAX, False),
        "structural_decay_specification": Curve(
            curves.structural_decay_specification, AGE_S_MAX, False
        ),
        "environment_bible": Curve(curves.environment_bible, AGE_S_MAX, True),
        "environment_specification": Curve(curves.environment_specification, AGE_S_MAX, True),
        "capital": Curve(curves.capital, PPM, False),
        "micro_bible": Curve(_micro_bible, PPM, True),
        "latency_specification": Curve(curves.latency_specification, LATENCY_MS_MAX, False),
        "jitter_specification": Curve(curves.jitter_specification, LATENCY_MS_MAX, False),
        "depth_specification": Curve(curves.depth_specification, PPM, True),
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


def band_table(name: str, one: int) -> list[tuple[int, int]]:
    """Return (first input of the band, value in 0..one) for each band, ascending by input.

    ``one`` stands for 1.0 and must be positive; the last band reaches to the end of the domain.
    """
    curve = _curve(name)
    if one < 1:
        raise ValueError(f"{name}: a scale of {one}; expected 1 or more")

    def small(point: int) -> int:
        return (2 * curve.code(point) * one + PPM) // (2 * PPM)

    bands = [(0, small(0))]
    while bands[-1][1] != small(curve.last):
        # The curve is monotone, so the band ends where its value is seen for the last time.
        low, high = bands[-1][0], curve.last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if small(middle) == bands[-1][1] else (low, middle)
        bands.append((high, small(high)))
    return bands


def band_values(name: str, one: int) -> tuple[int, ...]:
    """Return the values of ``band_table`` alone: the curve as a function of the band's number."""
    return tuple(value for _, value in band_table(name, one))
