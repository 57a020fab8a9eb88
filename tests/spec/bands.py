"""A kernel's curve in bands at a small scale, as the small models have it.

``bands(name, one)`` cuts the curve's whole domain into bands on which it has one value in 0..one,
and gives each band's first input and value, in order. The value is the nearest one, not the floor:
at a scale of 4 a floor of 0.9734 would be 0.75, and no model could ever reach APEX. Nearest keeps
the order, which is all that the models ask of a curve (they ASSUME it monotone).

Not here: the models' own bands, which people picked (tests/conformance/test_curve_tables.py).
"""

from kernel.constants import PPM
from verify.models.tables import CURVES


def bands(name: str, one: int) -> list[tuple[int, int]]:
    """Return (first input of the band, value in 0..one) for each band, ascending by input.

    ``one`` stands for 1.0 and is positive; the last band reaches to the end of the domain.
    """
    curve = CURVES[name]

    def small(point: int) -> int:
        return (2 * curve.code(point) * one + PPM) // (2 * PPM)

    found = [(0, small(0))]
    while found[-1][1] != small(curve.last):
        # The curve is monotone, so the band ends where its value is seen for the last time.
        low, high = found[-1][0], curve.last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if small(middle) == found[-1][1] else (low, middle)
        found.append((high, small(high)))
    return found


def band_values(name: str, one: int) -> tuple[int, ...]:
    """Return the values of the bands alone, in the order of the curve's inputs."""
    return tuple(value for _, value in bands(name, one))
