"""Exponentials in integers, never above the true value.

Rules of this file:

*   ``ONE`` = 10^18 stands for 1. Integers only; no loop, no branch but the one that saturates.
*   Every rounding is downwards. Who needs an upper bound adds ``ERROR_MAX``.
*   The argument is exact. ``exp_down(n)`` is exp(-n / 2,700,000): the least common multiple of
    the curves' own units (10,800 s, 1,000 ms and 100,000 ppm), so no curve rounds its argument.

Theory. Write n in base 8, n = sum of d_j 8^j. Then exp(-n/U) is the product of exp(-d_j 8^j / U),
one table row for each digit, one entry for each value of it. Each entry is the floor of the true
number, and each product is floored. All factors lie in [0, 1], so a floor costs at most one unit of
10^-18 and no later product makes it larger: nine entries, three products of three and one of
three lose less than 13 units in all, 1.3 · 10^-11 ppm. The nearest that any curve comes above a
whole ppm, over all its inputs, is 4.5 · 10^-9 ppm (docs/CURVES.md), so the curves are exact floors,
and tests/kernel/test_curves.py looks at every input to see that they are.

The entries are floor(10^18 · exp(-d 8^j / U)); the same test computes them again with 512-bit
enclosures and compares all of them.

Not here: the curves (``curves.py``). Spec module: none, the models take the curves as constants.
"""

from typing import Final

from kernel.contracts import ensure_part, opaque, pure, require_part

ONE: Final[int] = 1_000_000_000_000_000_000
ONE_SQUARED: Final[int] = ONE * ONE
EXP_UNIT: Final[int] = 2_700_000  # the n for which exp_down(n) is 1/e
EXP_MAX: Final[int] = 134_217_727  # 8^9 - 1: nine digits; exp(-49.7) is 0 in units of ONE
DECADE_UNIT: Final[int] = 7_170  # the n for which decade_down(n) is 1/10
DECADE_MAX: Final[int] = 32_767  # 8^5 - 1: five digits, more than four decades
ERROR_MAX: Final[int] = 13  # units of ONE; see the header

# One row for each base-8 digit, least significant first; one entry for each value of the digit.
# fmt: off
EXP_DIGITS: Final[tuple[tuple[int, ...], ...]] = (
    (1000000000000000000,  999999629629698216,  999999259259533607,  999998888889506172,
      999998518519615911,  999998148149862824,  999997777780246911,  999997407410768172),  # 8^0
    (1000000000000000000,  999997037041426607,  999994074091632338,  999991111150617166,
      999988148218381066,  999985185294924012,  999982222380245977,  999979259474346935),  # 8^1
    (1000000000000000000,  999976296577226861,  999952593716305973,  999928891417224019,
      999905189679967680,  999881488504523641,  999857787890878583,  999834087839019190),  # 8^2
    (1000000000000000000,  999810388348932146,  999620812650442513,  999431272897714073,
      999241769083931091,  999052301202279124,  998862869245945022,  998673473208116924),  # 8^3
    (1000000000000000000,  998484113081984266,  996970524077116743,  995459229502020951,
      993950225878600816,  992443509734032661,  990939077600757220,  989436926016471654),  # 8^4
    (1000000000000000000,  987937051524121583,  976019617774174864,  964245943413518447,
      952614294280046399,  941122957130760920,  929770239389426219,  918554468897266430),  # 8^5
    (1000000000000000000,  907473993666670842,  823509049181336951,  747313045681230696,
      678167154083549642,  615419055689759317,  558476788245357197,  506803161399149950),  # 8^6
    (1000000000000000000,  459910688877780962,  211517841744035037,   97279316306440608,
       44739797376054651,   20576311031473631,    9463265381048521,    4352256900431281),  # 8^7
    (1000000000000000000,    2001649469250426,       4006600597750,          8019809959,
                16052848,               32132,                  64,                   0),  # 8^8
)
DECADE_DIGITS: Final[tuple[tuple[int, ...], ...]] = (
    (1000000000000000000,  999678909985402023,  999357923069601520,  999037039219494498,
      998716258401987591,  998395580583998059,  998075005732453788,  997754533814293278),  # 8^0
    (1000000000000000000,  997434164796465649,  994874913103222995,  992322228028069568,
      989776092722145506,  987236490379822346,  984703404238592096,  982176817578956601),  # 8^1
    (1000000000000000000,  979656713724317178,  959727276745128742,  940203270007721116,
      921076445728620933,  902338723911375165,  883982188933211737,  865999086201138672),  # 8^2
    (1000000000000000000,  848381818876069183,  719751710599467457,  610624265377538364,
      518042524910859555,  439497859539026409,  372861993467858397,  316329336208018734),  # 8^3
    (1000000000000000000,  268368057616018543,   72021414348594648,   19328247075490793,
        5187084124771955,    1392047691255935,     373581135011218,     100257243564948),  # 8^4
)
# fmt: on


@pure
@opaque
@require_part(lambda a, b: 0 <= a <= ONE and 0 <= b <= ONE)
@ensure_part(lambda result: 0 <= result <= ONE)
def product(a: int, b: int) -> int:
    """Return the product of two fractions, all in units of ONE, rounded down."""
    return a * b // ONE


@pure
@opaque
@require_part(lambda a, b, c: 0 <= a <= ONE and 0 <= b <= ONE and 0 <= c <= ONE)
@ensure_part(lambda result: 0 <= result <= ONE)
def product_of_three(a: int, b: int, c: int) -> int:
    """Return the product of three fractions, all in units of ONE, rounded down once."""
    return a * b * c // ONE_SQUARED


@pure
@opaque
@require_part(lambda n: n >= 0)
@ensure_part(lambda result: 0 <= result <= ONE)
def exp_down(n: int) -> int:
    """Return exp(-n / EXP_UNIT) in units of ONE, at most ERROR_MAX below the true value."""
    digits = min(n, EXP_MAX)
    low = product_of_three(
        EXP_DIGITS[0][digits % 8],
        EXP_DIGITS[1][digits // 8 % 8],
        EXP_DIGITS[2][digits // 64 % 8],
    )
    middle = product_of_three(
        EXP_DIGITS[3][digits // 512 % 8],
        EXP_DIGITS[4][digits // 4_096 % 8],
        EXP_DIGITS[5][digits // 32_768 % 8],
    )
    high = product_of_three(
        EXP_DIGITS[6][digits // 262_144 % 8],
        EXP_DIGITS[7][digits // 2_097_152 % 8],
        EXP_DIGITS[8][digits // 16_777_216 % 8],
    )
    return product_of_three(low, middle, high)


@pure
@opaque
@require_part(lambda n: n >= 0)
@ensure_part(lambda result: 0 <= result <= ONE)
def exp_up(n: int) -> int:
    """Return exp(-n / EXP_UNIT) in units of ONE, never below the true value, 1 at most."""
    return min(ONE, exp_down(n) + ERROR_MAX)


@pure
@opaque
@require_part(lambda n: 0 <= n <= DECADE_MAX)
@ensure_part(lambda result: 0 <= result <= ONE)
def decade_down(n: int) -> int:
    """Return 10^(-n / DECADE_UNIT) in units of ONE, at most ERROR_MAX below the true value."""
    low = product_of_three(
        DECADE_DIGITS[0][n % 8],
        DECADE_DIGITS[1][n // 8 % 8],
        DECADE_DIGITS[2][n // 64 % 8],
    )
    high = product(DECADE_DIGITS[3][n // 512 % 8], DECADE_DIGITS[4][n // 4_096 % 8])
    return product(low, high)
