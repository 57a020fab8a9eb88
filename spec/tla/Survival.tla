------------------------------ MODULE Survival ------------------------------
(***************************************************************************)
(* Categories 2 to 5: five factors, one multiplier R, and how trust comes  *)
(* back.                                                                   *)
(*                                                                         *)
(* Theory.  Target is what the sensors call for now.  Fast attack: R falls *)
(* to it within the step that lowered it (Lower, at the end of every step  *)
(* that touches a sensor, a mark, a fill or the peak).  Slow recovery: R   *)
(* rises only when a bar of market time closes, by RecoveryStep.  A flood  *)
(* of events earns nothing.                                                *)
(*                                                                         *)
(* Rules of the file.  Curves are CONSTANT operators: small monotone       *)
(* tables in models, generated tables at ppm in traces.  They receive      *)
(* whole seconds (SECOND_MS = 1000 in traces, 1 in models), the            *)
(* forewarner's age rounded up and the shock's down: both towards risk.    *)
(* LatencyCurve and JitterCurve receive ms, CapitalCurve and DepthCurve a  *)
(* ratio.  `killed` and `drawdown_ppm` are read, never assigned: a caller  *)
(* assigns them BEFORE it conjoins an action of this module.  `dt` is the  *)
(* bar's length (traces: capped at AGE_MS_MAX), `ahead` is "the bar is     *)
(* later than the process clock".                                          *)
(*                                                                         *)
(* Not here: posture (Posture), drawdown (Ledger), the kill (KillSwitch).  *)
(* Sources: bible 11.2-11.4, specification VI.1 and VI.3.                  *)
(* Code: kernel/survival.py, kernel/curves.py.                             *)
(***************************************************************************)
EXTENDS Fixed, FiniteSets

CONSTANTS
    profile,                \* "bible" or "specification"
    live,                   \* BOOLEAN: market time may not outrun process time
    bar_ms_min, book_stale_ms,
    SECOND_MS, RECOVERY_MS_MAX, AGE_MS_MAX, LATENCY_MS_MAX,
    CapitalCurve(_),        \* of the drawdown
    StructuralDecay(_),     \* of the forewarner's age
    EnvironmentCurve(_),    \* of the time since the shock
    LatencyCurve(_), JitterCurve(_), DepthCurve(_),     \* specification only
    GainOver(_)             \* of a bar's length: dt div 3 (bible), dt div 6

VARIABLES
    forewarner_status, forewarner_age_ms,
    book_age_ms, depth_quality_ppm, fill_probability_ppm, book_latency_ms, book_jitter_ms,
    shock_age_ms,
    multiplier_ppm,
    killed, drawdown_ppm    \* read only

book == <<depth_quality_ppm, fill_probability_ppm, book_latency_ms, book_jitter_ms>>
ages == <<forewarner_age_ms, book_age_ms, shock_age_ms>>
sensors == <<forewarner_status, ages, book>>
survival == <<sensors, multiplier_ppm>>

TypeOK ==
    /\ forewarner_status \in 0..2
    /\ {forewarner_age_ms, book_age_ms, shock_age_ms} \subseteq 0..AGE_MS_MAX
    /\ {depth_quality_ppm, fill_probability_ppm, multiplier_ppm} \subseteq 0..ONE
    /\ {book_latency_ms, book_jitter_ms} \subseteq 0..LATENCY_MS_MAX

\* Every sensor at its worst: trust is earned, from the first bar.
Init ==
    /\ forewarner_status = 2 /\ forewarner_age_ms = 0
    /\ book_age_ms = 0 /\ shock_age_ms = 0
    /\ depth_quality_ppm = 0 /\ fill_probability_ppm = 0
    /\ book_latency_ms = 0 /\ book_jitter_ms = 0
    /\ multiplier_ppm = 0

-----------------------------------------------------------------------------
(* The factors.                                                            *)

\* KRN-SURV-004
SecondsUp(ms) == (ms + SECOND_MS - 1) \div SECOND_MS
\* KRN-SURV-014
SecondsDown(ms) == ms \div SECOND_MS

\* KRN-SURV-001
StatusFactor == CASE forewarner_status = 0 -> ONE
                  [] forewarner_status = 1 -> Floor(1, 2)
                  [] OTHER -> Floor(1, 10)

\* KRN-SURV-005
BookShows == Floor(3, 10) + Mul(ONE - Floor(3, 10), Min(depth_quality_ppm, fill_probability_ppm))
BookSilent == book_age_ms > book_stale_ms

\* KRN-SURV-002
BibleStructural == Mul(StatusFactor, StructuralDecay(SecondsUp(forewarner_age_ms)))
\* KRN-SURV-006
BibleMicrostructure ==
    IF BookSilent THEN Min(Floor(1, 2), BookShows) ELSE BookShows
\* A book is not late for having been read before the bar closed: only silence beyond the limit is.
Silence == IF BookSilent THEN book_age_ms ELSE 0
\* KRN-SURV-003
SpecificationStructural == StructuralDecay(SecondsUp(forewarner_age_ms))
\* KRN-SURV-007, KRN-SURV-008, KRN-SURV-009, KRN-SURV-010, KRN-SURV-011
SpecificationMicrostructure ==
    Mul(Mul(LatencyCurve(Max(book_latency_ms, Silence)), JitterCurve(book_jitter_ms)),
        DepthCurve(depth_quality_ppm))

Structural == IF profile = "bible" THEN BibleStructural ELSE SpecificationStructural
Microstructure == IF profile = "bible" THEN BibleMicrostructure ELSE SpecificationMicrostructure
\* KRN-SURV-012, KRN-SURV-013
Environment == EnvironmentCurve(SecondsDown(shock_age_ms))
\* KRN-SURV-015
Capital == CapitalCurve(drawdown_ppm)

\* KRN-SURV-018
Impaired(factor) == IF factor < Ceil(8, 10) THEN 1 ELSE 0
ImpairedCount(s, m, e) == Impaired(s) + Impaired(m) + Impaired(e)

\* KRN-SURV-016, KRN-SURV-017, KRN-SURV-024
Combine(s, m, e) ==
    IF ImpairedCount(s, m, e) >= 2
    THEN Mul(Mul(Capital, Min(s, e)), m) \div 2
    ELSE Mul(Mul(Capital, Min(s, e)), m)

\* Each factor is evaluated once (see The).
BibleTarget ==
    The({ Combine(s, m, e) : s \in {BibleStructural}, m \in {BibleMicrostructure}, e \in {Environment} })

\* KRN-SURV-019, KRN-SURV-024
SpecificationTarget ==
    Mul(Mul(Mul(Capital, SpecificationStructural), Environment), SpecificationMicrostructure)

\* KRN-SURV-020
Target == IF killed THEN 0
          ELSE IF profile = "bible" THEN BibleTarget ELSE SpecificationTarget

\* KRN-SURV-028, KRN-SURV-029, KRN-SURV-030
RecoveryStep(dt, gap) ==
    LET gain == GainOver(Min(dt, RECOVERY_MS_MAX))
    IN  IF profile = "bible" THEN Mul(gain, gap) ELSE Min(gap, gain)

-----------------------------------------------------------------------------
(* Readings.  Each ends with Lower.                                        *)

\* KRN-SURV-026, KRN-SURV-027
Lower == \E target \in {Target'} : multiplier_ppm' = Min(multiplier_ppm, target)

\* KRN-RNG-005
ReportForewarnerVerdict(status) ==
    IF status \notin 0..2 THEN "MALFORMED" ELSE "ok"

\* KRN-SURV-034
ReportForewarner(status) ==
    /\ ReportForewarnerVerdict(status) = "ok"
    /\ forewarner_status' = status
    /\ forewarner_age_ms' = 0
    /\ UNCHANGED <<book_age_ms, shock_age_ms, book>>
    /\ Lower

\* KRN-RNG-006
ReportBookVerdict(depth, fill, latency, jitter) ==
    IF \/ depth \notin 0..ONE \/ fill \notin 0..ONE
       \/ latency \notin 0..LATENCY_MS_MAX \/ jitter \notin 0..LATENCY_MS_MAX
    THEN "MALFORMED" ELSE "ok"

\* KRN-SURV-035
ReportBook(depth, fill, latency, jitter) ==
    /\ ReportBookVerdict(depth, fill, latency, jitter) = "ok"
    /\ depth_quality_ppm' = depth
    /\ fill_probability_ppm' = fill
    /\ book_latency_ms' = latency
    /\ book_jitter_ms' = jitter
    /\ book_age_ms' = 0
    /\ UNCHANGED <<forewarner_status, forewarner_age_ms, shock_age_ms>>
    /\ Lower

\* KRN-SURV-036
ReportShock ==
    /\ shock_age_ms' = 0
    /\ UNCHANGED <<forewarner_status, forewarner_age_ms, book_age_ms, book>>
    /\ Lower

-----------------------------------------------------------------------------
(* The bar: sensors age, R moves.                                          *)

\* KRN-TIME-003, KRN-TIME-004, KRN-TIME-005, KRN-TIME-006
CloseBarVerdict(dt, ahead) ==
    IF dt < 0 THEN "TIME_BACKWARDS"
    ELSE IF dt < bar_ms_min THEN "BAR_TOO_SHORT"
    ELSE IF live /\ ahead THEN "MARKET_TIME_AHEAD"
    ELSE "ok"

\* The multiplier after a bar, `target` and `r` bound to Target' and R.
\* KRN-SURV-025, KRN-SURV-027
Moved(dt, target, r) ==
    IF target < r THEN target ELSE r + RecoveryStep(dt, target - r)

\* KRN-SURV-033
CloseBar(dt, ahead) ==
    /\ CloseBarVerdict(dt, ahead) = "ok"
    /\ forewarner_age_ms' = Aged(forewarner_age_ms, dt, AGE_MS_MAX)
    /\ book_age_ms' = Aged(book_age_ms, dt, AGE_MS_MAX)
    /\ shock_age_ms' = Aged(shock_age_ms, dt, AGE_MS_MAX)
    /\ UNCHANGED <<forewarner_status, book>>
    /\ \E target \in {Target'} : multiplier_ppm' = Moved(dt, target, multiplier_ppm)

-----------------------------------------------------------------------------
(* Promises.                                                               *)

\* KRN-SURV-031
MultiplierNeverAboveTarget == 0 <= multiplier_ppm /\ multiplier_ppm <= Target

\* Bible: two impaired sensors leave at most half.
TwoImpairedSensorsHalve ==
    profile = "bible" /\ ImpairedCount(Structural, Microstructure, Environment) >= 2
        => 2 * multiplier_ppm <= Mul(Mul(Capital, Min(Structural, Environment)), Microstructure)
\* Bible: a book that says nothing counts for at most half, and for at most what it last showed.
SilentBookIsBad ==
    profile = "bible" /\ BookSilent => multiplier_ppm <= Min(Floor(1, 2), BookShows)

\* A step that calls for less ends at exactly that (or, tripped, at 0).
\* KRN-SURV-025
FastAttack == [][\A target \in {Target'} :
                    target < multiplier_ppm => multiplier_ppm' \in {0, target}]_<<survival, killed, drawdown_ppm>>

\* The bar (and its length) that this step must have been, seen from the ages alone.
WasBar(dt) ==
    /\ dt >= bar_ms_min
    /\ forewarner_age_ms' = Aged(forewarner_age_ms, dt, AGE_MS_MAX)
    /\ book_age_ms' = Aged(book_age_ms, dt, AGE_MS_MAX)
    /\ shock_age_ms' = Aged(shock_age_ms, dt, AGE_MS_MAX)
    /\ UNCHANGED <<forewarner_status, book>>

RisesByBar(dts) ==
    multiplier_ppm' > multiplier_ppm =>
        \E dt \in dts : WasBar(dt) /\ multiplier_ppm' <= multiplier_ppm + RecoveryStep(dt, Target' - multiplier_ppm)
=============================================================================
