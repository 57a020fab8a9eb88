"""The survival controller: the multiplier from five factors, and its slow recovery.

Theory. The total risk multiplier R is a function of what the sensors say now, bounded in how fast
it may rise. Fast attack: R falls to what the factors call for within the step that lowered them.
Slow recovery: R rises only when a bar of market time closes, by a step that depends on the bar's
length alone, so a flood of events earns nothing.

Rules of this file:

*   A category is a thin function of a state; its value is a factor's (``factors.py``).
*   R moves in ``lower`` and ``recovered`` alone, and in a trip (``killswitch.py``).

Not here: the factors (``factors.py``), the sensors' reports (``reports.py``), category 1
(``killswitch.py``), the bar (``bar.py``).
Spec module: Survival. Sources: bible 11.2 to 11.4, specification VI.1 and VI.3.
"""

from kernel.constants import (
    AGE_MS_MAX,
    PPM,
    RECOVERY_BIBLE_MS_PER_PPM,
    RECOVERY_MS_MAX,
    RECOVERY_SPECIFICATION_MS_PER_PPM,
    Profile,
)
from kernel.contract.parts import same_but_survival
from kernel.contract.survival import (
    lowered,
    multiplied,
    multiplier_after_bar,
    readings_aged,
    same_readings,
)
from kernel.contracts import ensure_part, opaque, pure, require_part
from kernel.curves import capital
from kernel.factors import (
    book_bible,
    book_specification,
    combined,
    environment_factor,
    mul,
    structural_factor,
)
from kernel.parts import with_survival
from kernel.state import Ledger, State, Survival


@pure
@ensure_part(
    lambda age_ms, dt_ms, result: (
        result == (AGE_MS_MAX if age_ms + dt_ms > AGE_MS_MAX else age_ms + dt_ms)
    )
)
def older(age_ms: int, dt_ms: int) -> int:  # KRN-KILL-021, KRN-SURV-033
    """Return an age after ``dt_ms`` more, saturated at ``AGE_MS_MAX``."""
    return min(age_ms + dt_ms, AGE_MS_MAX)


@pure
def readings_in_range(survival: Survival, ledger: Ledger) -> bool:
    """Return whether the curves are defined at what the sensors and the ledger say."""
    return (
        survival.forewarner_age_ms >= 0
        and survival.book_age_ms >= 0
        and survival.shock_age_ms >= 0
        and 0 <= survival.depth_quality_ppm <= PPM
        and 0 <= survival.fill_probability_ppm <= PPM
        and survival.book_latency_ms >= 0
        and survival.book_jitter_ms >= 0
        and 0 <= ledger.drawdown_ppm <= PPM
    )


@pure
@require_part(lambda survival: survival.forewarner_age_ms >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def structural(survival: Survival, profile: Profile) -> int:
    """Return category 2, ppm: the forewarner's status and age."""
    return structural_factor(survival.forewarner_status, survival.forewarner_age_ms, profile)


@pure
@require_part(lambda survival: survival.book_age_ms >= 0 and survival.book_latency_ms >= 0)
@require_part(lambda survival: survival.book_jitter_ms >= 0)
@require_part(lambda survival: 0 <= survival.depth_quality_ppm <= PPM)
@require_part(lambda survival: 0 <= survival.fill_probability_ppm <= PPM)
@ensure_part(lambda result: 0 <= result <= PPM)
def microstructure(survival: Survival, profile: Profile, book_stale_ms: int) -> int:
    """Return category 3, ppm: what the book says, and how old that is."""
    if profile == Profile.SPECIFICATION:
        return book_specification(
            survival.book_age_ms,
            survival.depth_quality_ppm,
            survival.book_latency_ms,
            survival.book_jitter_ms,
            book_stale_ms,
        )
    return book_bible(
        survival.book_age_ms,
        survival.depth_quality_ppm,
        survival.fill_probability_ppm,
        book_stale_ms,
    )


@pure
@require_part(lambda survival: survival.shock_age_ms >= 0)
@ensure_part(lambda result: 0 <= result <= PPM)
def environment(survival: Survival, profile: Profile) -> int:
    """Return category 4, ppm: the time since the last shock."""
    return environment_factor(survival.shock_age_ms, profile)


@pure
@require_part(lambda ledger: 0 <= ledger.drawdown_ppm <= PPM)
@ensure_part(lambda result: 0 <= result <= PPM)
def capital_stress(ledger: Ledger) -> int:  # KRN-SURV-015
    """Return category 5, ppm: the drawdown of equity from its peak."""
    return capital(ledger.drawdown_ppm)


@pure
@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(lambda result: 0 <= result <= PPM)
def target(state: State) -> int:  # KRN-SURV-020
    """Return the multiplier that the five categories call for now, ppm."""
    if state.killswitch.killed:
        return 0
    return combined(
        structural(state.survival, state.limits.profile),
        microstructure(state.survival, state.limits.profile, state.limits.book_stale_ms),
        environment(state.survival, state.limits.profile),
        capital_stress(state.ledger),
        state.limits.profile,
    )


@pure
@opaque
@require_part(lambda dt_ms, gap: dt_ms >= 0 and gap >= 0)
@ensure_part(lambda gap, result: 0 <= result <= gap)
def recovery_step(dt_ms: int, gap: int, profile: Profile) -> int:
    """Return by how much R may rise over a bar of ``dt_ms`` towards a target ``gap`` ppm above it.

    bible 11.4: 2 % of the gap a minute; specification VI.3: 1 % a minute. A bar longer than
    ``RECOVERY_MS_MAX`` earns no more than one of that length.
    """
    # KRN-SURV-028, KRN-SURV-029, KRN-SURV-030, KRN-SURV-032
    credited_ms = min(dt_ms, RECOVERY_MS_MAX)
    if profile == Profile.SPECIFICATION:
        return min(gap, credited_ms // RECOVERY_SPECIFICATION_MS_PER_PPM)
    return mul(credited_ms // RECOVERY_BIBLE_MS_PER_PPM, gap)


@ensure_part(lambda survival, multiplier_ppm, result: multiplied(survival, multiplier_ppm, result))
def with_multiplier(survival: Survival, multiplier_ppm: int) -> Survival:
    """Return the readings with another multiplier."""
    return Survival(
        forewarner_status=survival.forewarner_status,
        forewarner_age_ms=survival.forewarner_age_ms,
        book_age_ms=survival.book_age_ms,
        shock_age_ms=survival.shock_age_ms,
        depth_quality_ppm=survival.depth_quality_ppm,
        fill_probability_ppm=survival.fill_probability_ppm,
        book_latency_ms=survival.book_latency_ms,
        book_jitter_ms=survival.book_jitter_ms,
        multiplier_ppm=multiplier_ppm,
    )


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@ensure_part(
    lambda state, result: (
        same_but_survival(state, result)
        and same_readings(state.survival, result.survival)
        and lowered(state.survival, target(state), result.survival)
    )
)
def lower(state: State) -> State:  # KRN-SURV-026, KRN-SURV-027, KRN-SURV-031
    """Return the state with the multiplier at most at what the sensors call for (fast attack)."""
    called_for = target(state)
    if called_for >= state.survival.multiplier_ppm:
        return state
    return with_survival(state, with_multiplier(state.survival, called_for))


@require_part(lambda dt_ms: dt_ms >= 0)
@ensure_part(
    lambda state, dt_ms, result: (
        same_but_survival(state, result)
        and result.survival.multiplier_ppm == state.survival.multiplier_ppm
        and readings_aged(
            state.survival,
            older(state.survival.forewarner_age_ms, dt_ms),
            older(state.survival.book_age_ms, dt_ms),
            older(state.survival.shock_age_ms, dt_ms),
            result.survival,
        )
    )
)
def aged(state: State, dt_ms: int) -> State:  # KRN-SURV-033
    """Return the state with market time ``dt_ms`` later for its three sensors."""
    before = state.survival
    return with_survival(
        state,
        Survival(
            forewarner_status=before.forewarner_status,
            forewarner_age_ms=older(before.forewarner_age_ms, dt_ms),
            book_age_ms=older(before.book_age_ms, dt_ms),
            shock_age_ms=older(before.shock_age_ms, dt_ms),
            depth_quality_ppm=before.depth_quality_ppm,
            fill_probability_ppm=before.fill_probability_ppm,
            book_latency_ms=before.book_latency_ms,
            book_jitter_ms=before.book_jitter_ms,
            multiplier_ppm=before.multiplier_ppm,
        ),
    )


@require_part(lambda state: readings_in_range(state.survival, state.ledger))
@require_part(lambda dt_ms: dt_ms >= 0)
@ensure_part(
    lambda state, dt_ms, result: (
        same_but_survival(state, result)
        and same_readings(state.survival, result.survival)
        and multiplier_after_bar(
            state.survival.multiplier_ppm,
            target(state),
            recovery_step(
                dt_ms,
                max(0, target(state) - state.survival.multiplier_ppm),
                state.limits.profile,
            ),
            result.survival,
        )
    )
)
def recovered(state: State, dt_ms: int) -> State:  # KRN-SURV-025, KRN-SURV-027, KRN-KILL-015
    """Return the state with the multiplier after a bar of ``dt_ms``: down at once, up slowly."""
    called_for = target(state)
    now = state.survival.multiplier_ppm
    if called_for <= now:
        return with_survival(state, with_multiplier(state.survival, called_for))
    step = recovery_step(dt_ms, called_for - now, state.limits.profile)
    return with_survival(state, with_multiplier(state.survival, now + step))
