"""The survival controller's curves: a sensor's reading in, a factor in ppm out.

Rules of this file:

*   Every curve returns the floor of the true value in ppm: never above it, less than 1 ppm below
    it, on every input. tests/kernel/test_curves.py looks at every one of them.
*   Integers in, integers out; a reading past the end of a range is clamped to the end.
*   Every curve is monotone: older, slower, thinner or deeper in loss is never worth more.
*   Ages come in whole seconds that the caller has rounded towards risk: the forewarner's up, the
    shock's down.
*   Production remembers the last answers of the six that take an exponential (docs/adr/0084).

Rounding. Where the factor falls with exp(-x) down to 0, a lower bound of the exponential gives a
lower bound of the factor. Where it rises as the exponential dies (``environment_bible``, and
``capital`` left of its middle), the exponential must be taken from above.

Not here: exponentials in integers (``fixed.py``), what the factors multiply to (``survival.py``),
what the formulas come to in practice (docs/CURVES.md). Spec module: Survival, which takes
the curves as CONSTANT operators filled from ``verify/models/tables.py``.
"""

from typing import Final

from kernel.constants import AGE_S_MAX, LATENCY_MS_MAX, PPM
from kernel.contracts import ensure_part, opaque, pure, remembered, require_part
from kernel.fixed import ONE, decade_down, exp_down, exp_up

# Structural, bible 11.2: no decay for 6 h, then e-fold every 3 h.
STRUCTURAL_GRACE_S: Final[int] = 21_600
STRUCTURAL_EXP_PER_S: Final[int] = 250  # EXP_UNIT / 10,800 s
# Structural, specification VI.1 category 2: fresh below 30 s, a tenth at 2 h.
STRUCTURAL_FRESH_S: Final[int] = 30
STRUCTURAL_BLIND_S: Final[int] = 7_200
STRUCTURAL_BLIND_PPM: Final[int] = 100_000
# Environment, bible 11.2 and specification VI.1 category 4: 0.3 at a shock, 60 minutes.
SHOCK_PPM: Final[int] = 300_000
ENVIRONMENT_EXP_PER_S: Final[int] = 750  # EXP_UNIT / 3,600 s
ENVIRONMENT_COOLING_S: Final[int] = 3_600
# Capital, both profiles, bible 11.2: half at 12 % drawdown, slope 30.
CAPITAL_MIDDLE_PPM: Final[int] = 120_000
CAPITAL_EXP_PER_PPM: Final[int] = 81  # EXP_UNIT × 30 / PPM
# Microstructure, bible 11.2.
MICRO_FLOOR_PPM: Final[int] = 300_000
# Microstructure, specification VI.1 category 3, which names the three inputs and gives no number
# but the deadband's purpose: deadbands and scales are ours, each e-fold five times its deadband.
LATENCY_DEADBAND_MS: Final[int] = 200
LATENCY_EXP_PER_MS: Final[int] = 2_700  # EXP_UNIT / 1,000 ms
JITTER_DEADBAND_MS: Final[int] = 50
JITTER_EXP_PER_MS: Final[int] = 10_800  # EXP_UNIT / 250 ms
DEPTH_DEADBAND_PPM: Final[int] = 800_000


@remembered
@pure
@opaque
@require_part(lambda age_s: age_s >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def structural_decay_bible(age_s: int) -> int:
    """Return exp(-max(0, h - 6) / 3) in ppm, h the forewarner's age in hours (bible 11.2)."""
    # KRN-SURV-002, KRN-SURV-021, KRN-SURV-022, KRN-SURV-023
    stale_s = max(0, min(age_s, AGE_S_MAX) - STRUCTURAL_GRACE_S)
    return exp_down(STRUCTURAL_EXP_PER_S * stale_s) * PPM // ONE


@remembered
@pure
@opaque
@require_part(lambda age_s: age_s >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def structural_decay_specification(age_s: int) -> int:
    """Return the freshness of the forewarner in ppm (specification VI.1 category 2).

    1 up to 30 s, then 10^(-(age - 30) / 7170) down to 0.10 at two hours, and 0.10 after.
    """
    # KRN-SURV-003, KRN-SURV-021, KRN-SURV-022, KRN-SURV-023
    if age_s >= STRUCTURAL_BLIND_S:
        return STRUCTURAL_BLIND_PPM
    return decade_down(max(0, age_s - STRUCTURAL_FRESH_S)) * PPM // ONE


@remembered
@pure
@opaque
@require_part(lambda age_s: age_s >= 0)
@ensure_part(lambda result: SHOCK_PPM <= result <= PPM)
def environment_bible(age_s: int) -> int:
    """Return 0.3 + 0.7 (1 - exp(-t / 60 min)) in ppm, t seconds after a shock (bible 11.2).

    Ends at 999,999: the true value never reaches 1.
    """
    # KRN-SURV-012, KRN-SURV-021, KRN-SURV-022, KRN-SURV-023
    remaining = exp_up(ENVIRONMENT_EXP_PER_S * min(age_s, AGE_S_MAX))
    return SHOCK_PPM + (PPM - SHOCK_PPM) * (ONE - remaining) // ONE


@pure
@opaque
@require_part(lambda age_s: age_s >= 0)
@ensure_part(lambda result: SHOCK_PPM <= result <= PPM)
def environment_specification(age_s: int) -> int:
    """Return the recovery from a shock in ppm (specification VI.1 category 4).

    0.3 at the shock, a straight line to 1.0 at 60 minutes, and 1.0 after.
    """
    # KRN-SURV-013, KRN-SURV-021, KRN-SURV-022, KRN-SURV-023
    cooled_s = min(age_s, ENVIRONMENT_COOLING_S)
    return SHOCK_PPM + (PPM - SHOCK_PPM) * cooled_s // ENVIRONMENT_COOLING_S


@remembered
@pure
@opaque
@require_part(lambda drawdown_ppm: 0 <= drawdown_ppm <= PPM)
@ensure_part(lambda result: 0 <= result <= PPM)
def capital(drawdown_ppm: int) -> int:
    """Return 1 / (1 + exp(30 (drawdown - 0.12))) in ppm (bible 11.2; both profiles)."""
    # KRN-SURV-015, KRN-SURV-021, KRN-SURV-022
    if drawdown_ppm < CAPITAL_MIDDLE_PPM:
        # 1 / (1 + e) falls as e grows: e from above.
        above = exp_up(CAPITAL_EXP_PER_PPM * (CAPITAL_MIDDLE_PPM - drawdown_ppm))
        return PPM * ONE // (ONE + above)
    # The same divided through by exp(x): e / (1 + e) grows with e: e from below.
    below = exp_down(CAPITAL_EXP_PER_PPM * (drawdown_ppm - CAPITAL_MIDDLE_PPM))
    return PPM * below // (ONE + below)


@pure
@opaque
@require_part(lambda depth_ppm: 0 <= depth_ppm <= PPM)
@require_part(lambda fill_ppm: 0 <= fill_ppm <= PPM)
@ensure_part(lambda result: MICRO_FLOOR_PPM <= result <= PPM)
def micro_bible(depth_ppm: int, fill_ppm: int) -> int:
    """Return 0.3 + 0.7 min(depth, fill) in ppm (bible 11.2). The range makes the clamp idle."""
    # KRN-SURV-005, KRN-SURV-021, KRN-SURV-022
    return MICRO_FLOOR_PPM + (PPM - MICRO_FLOOR_PPM) * min(depth_ppm, fill_ppm) // PPM


@remembered
@pure
@opaque
@require_part(lambda latency_ms: latency_ms >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def latency_specification(latency_ms: int) -> int:
    """Return 1 up to 200 ms, then exp(-(ms - 200) / 1000), in ppm.

    Specification VI.1 category 3.
    """
    # KRN-SURV-008, KRN-SURV-021, KRN-SURV-022, KRN-SURV-023
    late_ms = max(0, min(latency_ms, LATENCY_MS_MAX) - LATENCY_DEADBAND_MS)
    return exp_down(LATENCY_EXP_PER_MS * late_ms) * PPM // ONE


@remembered
@pure
@opaque
@require_part(lambda jitter_ms: jitter_ms >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def jitter_specification(jitter_ms: int) -> int:
    """Return 1 up to 50 ms, then exp(-(ms - 50) / 250), in ppm (specification VI.1 category 3)."""
    # KRN-SURV-009, KRN-SURV-021, KRN-SURV-022, KRN-SURV-023
    rough_ms = max(0, min(jitter_ms, LATENCY_MS_MAX) - JITTER_DEADBAND_MS)
    return exp_down(JITTER_EXP_PER_MS * rough_ms) * PPM // ONE


@pure
@opaque
@require_part(lambda depth_ppm: 0 <= depth_ppm <= PPM)
@ensure_part(lambda result: 0 <= result <= PPM)
def depth_specification(depth_ppm: int) -> int:
    """Return 1 from a depth of 0.8 up, depth / 0.8 below, in ppm.

    Specification VI.1 category 3.
    """
    # KRN-SURV-010, KRN-SURV-021, KRN-SURV-022
    return min(depth_ppm, DEPTH_DEADBAND_PPM) * PPM // DEPTH_DEADBAND_PPM
