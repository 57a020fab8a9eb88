------------------------------- MODULE Kernel -------------------------------
(***************************************************************************)
(* The kernel: KillSwitch, Survival, Posture, Gate and Ledger, composed.   *)
(* The contract is docs/KERNEL.md; names here are its names.               *)
(*                                                                         *)
(* Theory.  An event's operator conjoins what each module does with it and *)
(* says UNCHANGED of the rest.  Three moves cross modules: Lower (R falls  *)
(* to what the sensors call for), TripIfRisen (a kill: R 0, HIBERNATE, the *)
(* fence advances unless the posture was HIBERNATE already) and            *)
(* AdvanceFence.                                                           *)
(*                                                                         *)
(* How to use it (MCKernel, MCReplay, TraceKernel).  For an event E with   *)
(* parameters p:                                                           *)
(*   EVerdict(p)  "ok" or the reason of refusal; ReportShock, FailJournal, *)
(*                RestoreJournal and RestartKernel have none: never refused*)
(*   E(p)         EVerdict(p) = "ok" and the whole effect;                 *)
(*   refusal      EVerdict(p) = reason /\ UNCHANGED vars.                  *)
(* Parameters: dt = event's clock - state's clock, negative if backwards,  *)
(* capped at AGE_MS_MAX (ages saturate, so nothing is lost); ahead = the   *)
(* bar is later than the process clock; o = record of an order             *)
(* [instrument, side, reduce_only, market, quantity, limit_price,          *)
(* leverage_ppm]; prices, fees and cash are Money <<units, micros>>;       *)
(* quantities a function Workers -> lots.  Integers out of range may be    *)
(* given as any other integer out of range (32 bits).                      *)
(*                                                                         *)
(* TLC evaluates conjuncts left to right: what an operator of a module     *)
(* reads primed (killed', drawdown_ppm', multiplier_ppm') is assigned      *)
(* before it.                                                              *)
(*                                                                         *)
(* Not here: bounds and Next (MCKernel), rows of a journal (TraceKernel),  *)
(* operator and reason of an operator's act and the range of a clock's     *)
(* reading (no guard reads them beyond their range, and out of range is    *)
(* MALFORMED before any verdict here: TraceKernel).  Code: kernel/step.py. *)
(***************************************************************************)
EXTENDS Money, FiniteSets

CONSTANTS
    \* limits
    profile, live, grid_in_use, heartbeat_limit_ms, cooling_ms, confirm_window_ms, bar_ms_min, book_stale_ms,
    \* ranges
    Partitions, Workers, AGE_MS_MAX, GRID_MEMBERS_MAX, LATENCY_MS_MAX, INSTRUMENT_MAX, QUANTITY_MAX,
    LEVERAGE_PPM_MAX, PRICE_MAX, FEE_MAX, CASH_MAX, OpeningCash,
    \* the survival controller and the posture machine
    SECOND_MS, RECOVERY_MS_MAX, DOWN_AFTER, UP_AFTER,
    CapitalCurve(_), StructuralDecay(_), EnvironmentCurve(_), LatencyCurve(_), JitterCurve(_), DepthCurve(_),
    GainOver(_), NextEpoch(_)

VARIABLES
    heartbeat_age_ms, grid_members, latched_checksum, latched_desync, latched_operator,
    journal_writable, killed, operator_request, operator_request_age_ms,
    forewarner_status, forewarner_age_ms, book_age_ms, shock_age_ms, depth_quality_ppm,
    fill_probability_ppm, book_latency_ms, book_jitter_ms, multiplier_ppm,
    posture, bars_below, bars_above,
    fence_epoch, fence_confirmed, instrument, mark, quantity, cost,
    permit_kind, permit_quantity, permit_price, reserved_notional, open_notional,
    cash, contributed, realised_pnl, fees, unrealised_pnl, equity_peak, drawdown_ppm

KS == INSTANCE KillSwitch
SV == INSTANCE Survival
PM == INSTANCE Posture
GT == INSTANCE Gate
LG == INSTANCE Ledger

\* Spelled out: TLC does not look through an INSTANCE under UNCHANGED.
latches == <<latched_checksum, latched_desync, latched_operator>>
killswitch == <<heartbeat_age_ms, grid_members, latches, journal_writable, killed,
                operator_request, operator_request_age_ms>>
sensors == <<forewarner_status, forewarner_age_ms, book_age_ms, shock_age_ms,
             depth_quality_ppm, fill_probability_ppm, book_latency_ms, book_jitter_ms>>
survival == <<sensors, multiplier_ppm>>
machine == <<posture, bars_below, bars_above>>
gate == <<fence_epoch, fence_confirmed, instrument, mark, quantity, cost,
          permit_kind, permit_quantity, permit_price, reserved_notional, open_notional>>
ledger == <<cash, contributed, realised_pnl, fees, unrealised_pnl, equity_peak, drawdown_ppm>>
vars == <<killswitch, survival, machine, gate, ledger>>

HIBERNATE == 0
TURTLE == 1
STALKER == 2
APEX == 3

Target == SV!Target
Effective == PM!Effective
Equity == LG!Equity
Capital == LG!Capital
Flat == GT!Flat
Ceiling(p) == GT!Ceiling(p)

\* KRN-STEP-013
TypeOK == KS!TypeOK /\ SV!TypeOK /\ PM!TypeOK /\ GT!TypeOK /\ LG!TypeOK

\* KRN-INIT-001, KRN-INIT-002, KRN-INIT-003
Init == KS!Init /\ SV!Init /\ PM!Init /\ GT!Init /\ LG!Init

-----------------------------------------------------------------------------
(* Moves that cross modules.                                               *)

\* After killed' is assigned: what becomes of R, posture and the whole gate.
\* KRN-KILL-011, KRN-KILL-012, KRN-KILL-013, KRN-KILL-016
TripIfRisen ==
    IF killed' /\ ~killed
    THEN /\ multiplier_ppm' = 0
         /\ PM!Hibernate
         /\ IF posture # HIBERNATE THEN GT!AdvanceFence ELSE UNCHANGED gate
    ELSE UNCHANGED <<multiplier_ppm, machine, gate>>

\* A step of the kill-switch alone (given first), and its consequence.
Consequence == TripIfRisen /\ UNCHANGED <<sensors, ledger>>

-----------------------------------------------------------------------------
(* Time and sensors.                                                       *)

AdvanceTimeVerdict(dt) == KS!AdvanceTimeVerdict(dt)
AdvanceTime(dt) == KS!AdvanceTime(dt) /\ Consequence

CloseBarVerdict(dt, ahead) == SV!CloseBarVerdict(dt, ahead)
\* KRN-KILL-015, KRN-POST-008, KRN-POST-010
CloseBar(dt, ahead) ==
    /\ SV!CloseBarVerdict(dt, ahead) = "ok"
    /\ UNCHANGED <<killswitch, ledger>>
    /\ SV!CloseBar(dt, ahead)
    /\ PM!CountBar(Flat /\ fence_confirmed)
    /\ IF posture' < posture THEN GT!AdvanceFence ELSE UNCHANGED gate

RecordHeartbeatVerdict(p) == KS!RecordHeartbeatVerdict(p)
RecordHeartbeat(p) == KS!RecordHeartbeat(p) /\ Consequence

ReportGridVerdict(members) == KS!ReportGridVerdict(members)
ReportGrid(members) == KS!ReportGrid(members) /\ Consequence

ReportForewarnerVerdict(status) == SV!ReportForewarnerVerdict(status)
ReportForewarner(status) ==
    UNCHANGED <<killswitch, machine, gate, ledger>> /\ SV!ReportForewarner(status)

ReportBookVerdict(depth, fill, latency, jitter) == SV!ReportBookVerdict(depth, fill, latency, jitter)
ReportBook(depth, fill, latency, jitter) ==
    UNCHANGED <<killswitch, machine, gate, ledger>> /\ SV!ReportBook(depth, fill, latency, jitter)

ReportShock == UNCHANGED <<killswitch, machine, gate, ledger>> /\ SV!ReportShock

-----------------------------------------------------------------------------
(* The gate and the ledger.                                                *)

UpdateMarkVerdict(i, price) == GT!UpdateMarkVerdict(i, price)
\* KRN-SURV-026, KRN-LEDG-010, KRN-LEDG-012
UpdateMark(i, price) ==
    /\ GT!UpdateMarkVerdict(i, price) = "ok"
    /\ UNCHANGED <<killswitch, machine, sensors>>
    /\ GT!UpdateMark(i, price)
    /\ LET w == CHOOSE w \in GT!Owners(i) : TRUE
       IN  LG!BookMark(Add(unrealised_pnl, Times(quantity[w], Sub(price, mark[w]))))
    /\ SV!Lower

ClaimInstrumentVerdict(w, i) == GT!ClaimInstrumentVerdict(w, i)
ClaimInstrument(w, i) ==
    UNCHANGED <<killswitch, survival, machine, ledger>> /\ GT!ClaimInstrument(w, i)

RequestOrderVerdict(w, o) == GT!RequestOrderVerdict(w, o, Effective, Capital)
\* KRN-GATE-012, KRN-GATE-023
RequestOrder(w, o) ==
    /\ GT!RequestOrder(w, o, Effective, Capital)
    /\ UNCHANGED <<killswitch, survival, machine, ledger>>

ReportFillVerdict(w, lots, price, fee) == GT!ReportFillVerdict(w, lots, price, fee)

\* A fill that the kernel permitted; anything else is a desync and kills.
\* KRN-SURV-026, KRN-LEDG-002, KRN-LEDG-012
BookedFill(w, lots, price, fee) ==
    /\ UNCHANGED <<killswitch, machine, sensors>>
    /\ GT!Fill(w, lots, price)
    /\ LG!BookFill(GT!FillProfit(w, lots, price), fee,
                   Add(Sub(unrealised_pnl, GT!UnrealisedOf(w)), GT!UnrealisedOf(w)'))
    /\ SV!Lower

\* KRN-LEDG-016
ReportFill(w, lots, price, fee) ==
    /\ ReportFillVerdict(w, lots, price, fee) = "ok"
    /\ IF GT!FillPermitted(w, lots)
       THEN BookedFill(w, lots, price, fee)
       ELSE KS!Desynchronise /\ Consequence

CloseOrderVerdict(w) == GT!CloseOrderVerdict(w)
CloseOrder(w) == GT!CloseOrder(w) /\ UNCHANGED <<killswitch, survival, machine, ledger>>

ConfirmFenceVerdict(epoch) == GT!ConfirmFenceVerdict(epoch)
ConfirmFence(epoch) == GT!ConfirmFence(epoch) /\ UNCHANGED <<killswitch, survival, machine, ledger>>

\* Execution's view of cash and positions.
\* KRN-RNG-014
ReconcileLedgerVerdict(view_cash, view_quantities) ==
    IF Less(CASH_MAX, view_cash) \/ Less(view_cash, Neg(CASH_MAX)) THEN "MALFORMED" ELSE "ok"
\* KRN-LEDG-018, KRN-LEDG-019, KRN-LEDG-020
ReconcileLedger(view_cash, view_quantities) ==
    /\ ReconcileLedgerVerdict(view_cash, view_quantities) = "ok"
    /\ IF view_cash = cash /\ view_quantities = quantity
       THEN UNCHANGED vars
       ELSE KS!Desynchronise /\ Consequence

-----------------------------------------------------------------------------
(* The operator and the shell.                                             *)

TripKillSwitchVerdict(cause) == KS!TripKillSwitchVerdict(cause)
TripKillSwitch(cause) == KS!TripKillSwitch(cause) /\ Consequence

RequestRearmVerdict == KS!RequestRearmVerdict
RequestRearm == KS!RequestRearm /\ Consequence

ConfirmRearmVerdict == KS!ConfirmRearmVerdict
\* KRN-REARM-012
ConfirmRearm == KS!ConfirmRearm /\ Consequence

RequestPeakResetVerdict == KS!RequestPeakResetVerdict(Flat)
RequestPeakReset == KS!RequestPeakReset(Flat) /\ Consequence

ConfirmPeakResetVerdict == KS!ConfirmPeakResetVerdict(Flat)
\* KRN-PEAK-008
ConfirmPeakReset ==
    /\ KS!ConfirmPeakReset(Flat)
    /\ LG!ResetPeak
    /\ UNCHANGED <<machine, gate, sensors>>
    /\ SV!Lower

FailJournal == KS!FailJournal /\ Consequence
RestoreJournal == KS!RestoreJournal /\ Consequence

\* KRN-RST-001, KRN-RST-003, KRN-RST-004
RestartKernel ==
    /\ KS!RestartKernel
    /\ PM!Hibernate
    /\ multiplier_ppm' = 0
    /\ GT!AdvanceFence
    /\ UNCHANGED <<sensors, ledger>>

-----------------------------------------------------------------------------
(* Invariants.  Each is one module's, under its own name.                  *)

KilledIffCause == KS!KilledIffCause
RearmRequestMeansLatched == KS!RearmRequestMeansLatched
MultiplierNeverAboveTarget == SV!MultiplierNeverAboveTarget
TwoImpairedSensorsHalve == SV!TwoImpairedSensorsHalve
SilentBookIsBad == SV!SilentBookIsBad
CountersWithinHysteresis == PM!CountersWithinHysteresis
AccountsSumToZero == LG!AccountsSumToZero
PeakAtLeastEquity == LG!PeakAtLeastEquity
DrawdownIsExact == LG!DrawdownIsExact
FlatPositionHasNoCost == GT!FlatPositionHasNoCost
OpenIsSumOfPositions == GT!OpenIsSumOfPositions
ReservedIsSumOfPermits == GT!ReservedIsSumOfPermits
OneWorkerPerInstrument == GT!OneWorkerPerInstrument
PositionNeedsClaim == GT!PositionNeedsClaim
NoPermitFlips == GT!NoPermitFlips
EntryNeverOpposesPosition == GT!EntryNeverOpposesPosition
PermitSlotIsConsistent == GT!PermitSlotIsConsistent
FlattenOnlyInHibernate == GT!FlattenOnlyInHibernate
HibernateFlattens == GT!HibernateFlattens
NoWorkerPermitInHibernate == GT!NoWorkerPermitInHibernate
NoEntryBelowStalker == GT!NoEntryBelowStalker

(* Invariants that only the composition has.                               *)

KilledMeansHibernate == killed => posture = HIBERNATE /\ multiplier_ppm = 0
JournalDownMeansHibernate == ~journal_writable => posture = HIBERNATE
\* KRN-LEDG-011
UnrealisedIsSumOfSlots == unrealised_pnl = GT!SumOver([w \in Workers |-> GT!UnrealisedOf(w)], Workers)

(* Properties of steps.                                                    *)

FastAttack == SV!FastAttack
PromotionClimbsOne == PM!PromotionClimbsOne
EpochOnlyAdvances == GT!EpochOnlyAdvances
FlattenWaitsForFence == GT!FlattenWaitsForFence
PermitWaitsForFence == GT!PermitWaitsForFence
RearmIsTwoStep == KS!RearmIsTwoStep

\* KRN-POST-008
DemotionAdvancesFence == [][posture' < posture => fence_epoch' # fence_epoch /\ ~fence_confirmed']_vars
\* KRN-POST-013
LeaveHibernateOnlyFlat == [][posture = HIBERNATE /\ posture' # HIBERNATE => Flat /\ fence_confirmed]_vars
\* KRN-LEDG-008
MarksNeverMoveCash == [][cash' # cash => mark' = mark /\ permit_quantity' # permit_quantity]_vars
\* KRN-LEDG-013
PeakResetOnlyFlat == [][LG!Equity = LG!Equity' /\ Less(equity_peak', equity_peak) => Flat /\ KS!Confirmable(2)]_vars
\* A step that issues an entry ends within the ceiling in force.
\* KRN-GATE-017
ExposureWithinCeiling == [][
    (\E w \in Workers : GT!Issues(w, {1})) =>
        AtMost(Add(open_notional', reserved_notional'), Times(Ceiling(Effective), Capital))]_vars
=============================================================================
