"""The survival controller's factors, as functions of what the sensors say.

Theory. Four graded categories, each a ratio in ppm, and what they come to together. Values in,
values out: two states that say the same have the same factors, which a proof sees at once.

Rules of this file:

*   Every product is rounded down, so no factor is above what the real-valued formula gives.
*   Ages go into a curve in whole seconds, rounded towards risk: a forewarner's age up, the time
    since a shock down.
*   Each profile is written once, as the table in docs/KERNEL.md says it; they share nothing but the
    capital curve.
*   A silent book is never worth more than the bad one it last showed (ADR 0021; bible 11.2 gives a
    stale book 0.5, which would raise a factor that stood at 0.3).

Not here: the curves (``curves.py``), the multiplier and how it comes back (``survival.py``).
Spec module: Survival. Sources: bible 11.2, 11.3, specification VI.1.
"""

from kernel.constants import (
    BOOK_STALE_FACTOR_PPM,
    DEGRADED_BELOW_PPM,
    DEGRADED_COUNT,
    PPM,
    STATUS_FACTOR_ORANGE_PPM,
    STATUS_FACTOR_RED_PPM,
    Profile,
    Status,
)
from kernel.contracts import ensure_part, opaque, pure, require_part
from kernel.curves import (
    depth_specification,
    environment_bible,
    environment_specification,
    jitter_specification,
    latency_specification,
    micro_bible,
    structural_decay_bible,
    structural_decay_specification,
)


@pure
@opaque
@ensure_part(lambda a, b, result: a < 0 or b < 0 or b > PPM or 0 <= result <= a)
@ensure_part(lambda a, b, result: b < 0 or a < 0 or a > PPM or 0 <= result <= b)
def mul(a: int, b: int) -> int:  # KRN-SURV-024
    """Return the product of a ratio (or a gap) and a ratio, ppm, rounded down."""
    return a * b // PPM


@pure
@opaque
@ensure_part(lambda result: 0 <= result <= PPM)
def status_factor(status: Status) -> int:  # KRN-SURV-001
    """Return the forewarner status as a factor, ppm (bible 11.2: 1, .5, .1)."""
    if status == Status.OK:
        return PPM
    if status == Status.ORANGE:
        return STATUS_FACTOR_ORANGE_PPM
    return STATUS_FACTOR_RED_PPM


@pure
@opaque
@require_part(lambda age_ms: age_ms >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def structural_factor(status: Status, age_ms: int, profile: Profile) -> int:
    """Return category 2, ppm, of a forewarner's status ``age_ms`` old."""
    # KRN-SURV-002, KRN-SURV-003, KRN-SURV-004
    age_s = (age_ms + 999) // 1000
    if profile == Profile.SPECIFICATION:
        return structural_decay_specification(age_s)
    return mul(status_factor(status), structural_decay_bible(age_s))


@pure
@opaque
@require_part(lambda age_ms, latency_ms: age_ms >= 0 and latency_ms >= 0)
@require_part(lambda jitter_ms: jitter_ms >= 0)
@require_part(lambda depth_ppm: 0 <= depth_ppm <= PPM)
@ensure_part(lambda result: 0 <= result <= PPM)
def book_specification(
    age_ms: int, depth_ppm: int, latency_ms: int, jitter_ms: int, stale_ms: int
) -> int:
    """Return category 3 of ``specification``, ppm; silence counts as latency once it is stale."""
    # KRN-SURV-007, KRN-SURV-011
    silence_ms = age_ms if age_ms > stale_ms else 0
    latency = latency_specification(max(latency_ms, silence_ms))
    return mul(mul(latency, jitter_specification(jitter_ms)), depth_specification(depth_ppm))


@pure
@opaque
@require_part(lambda depth_ppm: 0 <= depth_ppm <= PPM)
@require_part(lambda fill_ppm: 0 <= fill_ppm <= PPM)
@ensure_part(lambda result: 0 <= result <= PPM)
@ensure_part(
    lambda age_ms, depth_ppm, fill_ppm, stale_ms, result: (
        age_ms <= stale_ms
        or (result <= BOOK_STALE_FACTOR_PPM and result <= micro_bible(depth_ppm, fill_ppm))
    )
)
def book_bible(age_ms: int, depth_ppm: int, fill_ppm: int, stale_ms: int) -> int:
    """Return category 3 of ``bible``, ppm; a silent book is worth half at most."""
    # KRN-SURV-005, KRN-SURV-006
    shown = micro_bible(depth_ppm, fill_ppm)
    if age_ms > stale_ms:
        return min(BOOK_STALE_FACTOR_PPM, shown)
    return shown


@pure
@opaque
@require_part(lambda age_ms: age_ms >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def environment_factor(age_ms: int, profile: Profile) -> int:
    """Return category 4, ppm, ``age_ms`` after a shock."""
    # KRN-SURV-012, KRN-SURV-013, KRN-SURV-014
    if profile == Profile.SPECIFICATION:
        return environment_specification(age_ms // 1000)
    return environment_bible(age_ms // 1000)


@pure
@ensure_part(lambda factor, result: result == (0 if factor >= DEGRADED_BELOW_PPM else 1))
def degraded(factor: int) -> int:  # KRN-SURV-018
    """Return 1 where the factor counts as degraded (bible 11.3), else 0."""
    return 1 if factor < DEGRADED_BELOW_PPM else 0


@pure
@opaque
@require_part(lambda two, three: 0 <= two <= PPM and 0 <= three <= PPM)
@require_part(lambda four, five: 0 <= four <= PPM and 0 <= five <= PPM)
@ensure_part(lambda three, result: 0 <= result <= three)
@ensure_part(
    lambda two, three, four, five, profile, result: (
        profile != Profile.BIBLE
        or degraded(two) + degraded(three) + degraded(four) < 2
        or 2 * result <= mul(mul(five, min(two, four)), three)
    )
)
def combined(two: int, three: int, four: int, five: int, profile: Profile) -> int:
    """Return what the four graded categories come to together, ppm."""
    # KRN-SURV-016, KRN-SURV-017, KRN-SURV-018, KRN-SURV-019
    if profile == Profile.SPECIFICATION:
        return mul(mul(mul(five, two), four), three)
    product = mul(mul(five, min(two, four)), three)
    if degraded(two) + degraded(three) + degraded(four) >= DEGRADED_COUNT:
        return product // 2
    return product
