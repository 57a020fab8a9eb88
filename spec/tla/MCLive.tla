------------------------------- MODULE MCLive -------------------------------
(***************************************************************************)
(* Liveness of the composed kernel: a kill leads to flat; sustained        *)
(* health, with a drawdown that permits it, leads back to APEX.            *)
(*                                                                         *)
(* Premises, written as predicates (WF of a composed action is far slower; *)
(* each is implied by weak fairness of the action it names):               *)
(*   FairFence     the guard confirms: ConfirmFence(fence_epoch) is        *)
(*                 enabled exactly while the fence is unconfirmed;         *)
(*   FairFlatten   the venue fills: while a flatten permit is out, a fill  *)
(*                 of it is enabled, and it changes the quantity;          *)
(*   FairAging, FairRecovery, FairCount                                    *)
(*                 bars keep closing: CloseBar is always enabled.  Ages    *)
(*                 below their end grow with every bar, an R below Target  *)
(*                 rises with every bar, and where a climb is called for   *)
(*                 and allowed every bar counts towards it.                *)
(* And: the kernel is not restarted for ever (RestartKernel is not here:   *)
(* each restart advances the fence).                                       *)
(*                                                                         *)
(* `calm` is set once, by BeCalm, when nothing is killed and the drawdown  *)
(* permits APEX; from then on nothing harmful happens and marks stand      *)
(* still, so the drawdown stays.  Without that premise health does not     *)
(* lead to APEX: a flat book earns nothing, so a drawdown is for ever      *)
(* (until an operator resets the peak).  The premises of KillLeadsToFlat   *)
(* are FairFence and FairFlatten alone; nothing is calm there.             *)
(***************************************************************************)
EXTENDS MCKernel

VARIABLE calm
lvars == <<vars, calm>>

LiveInit == MCInit /\ calm = FALSE

Enough == CapitalCurve(drawdown_ppm) >= ONE /\ forewarner_status = 0
BeCalm ==
    /\ ~calm /\ ~killed
    /\ Enough
    /\ calm' = TRUE /\ UNCHANGED vars

InBand == \E v \in Band : cash = Amount(v)
Calmly == UNCHANGED calm
Harm == ~calm /\ UNCHANGED calm

LiveCloseBar(dt) == CloseBar(dt, FALSE) /\ Calmly
LiveConfirmFence == ConfirmFence(fence_epoch) /\ Calmly
LiveRequestOrder(w, o) == InBand /\ RequestOwnOrder(w, o) /\ Calmly
LiveReportFill(w) == ReportFillAtMark(w, 1, Zero) /\ Calmly
LiveCloseOrder(w) == CloseOrder(w) /\ Calmly
LiveRecordHeartbeat(p) == RecordHeartbeat(p) /\ Calmly
HarmAdvanceTime(dt) == AdvanceTime(dt) /\ Harm
HarmReportShock == ReportShock /\ Harm
HarmUpdateMark(i, p) == UpdateMark(i, p) /\ Harm
HarmTripKillSwitch(c) == TripKillSwitch(c) /\ Harm
HarmRequestRearm == RequestRearm /\ Harm
HarmConfirmRearm == ConfirmRearm /\ Harm

LiveNext ==
    \/ \E e \in With("BeCalm") : BeCalm
    \/ \E dt \in BarDts : LiveCloseBar(dt)
    \/ LiveConfirmFence
    \/ \E w \in Workers, o \in AllOrders : LiveRequestOrder(w, o)
    \/ \E w \in Workers : LiveReportFill(w)
    \/ \E w \in Workers : LiveCloseOrder(w)
    \/ \E p \in Beats : LiveRecordHeartbeat(p)
    \/ \E dt \in Dts : HarmAdvanceTime(dt)
    \/ \E e \in With("ReportShock") : HarmReportShock
    \/ \E i \in Marked, p \in Marks : HarmUpdateMark(i, p)
    \/ \E c \in Causes : HarmTripKillSwitch(c)
    \/ \E e \in With("RequestRearm") : HarmRequestRearm
    \/ \E e \in With("RequestRearm") : HarmConfirmRearm

CanClimb == /\ PM!Called(posture, multiplier_ppm) > posture
            /\ posture = HIBERNATE => Flat /\ fence_confirmed
Young == shock_age_ms < AGE_MS_MAX

\* TLC takes these only written out, in the order of the header.
KillSpec ==
    /\ LiveInit /\ [][LiveNext]_lvars
    /\ []<>fence_confirmed
    /\ []<>(permit_kind[0] # 3) \/ []<><<permit_kind[0] = 3 /\ quantity'[0] # quantity[0]>>_vars
    /\ []<>(permit_kind[1] # 3) \/ []<><<permit_kind[1] = 3 /\ quantity'[1] # quantity[1]>>_vars

HealthSpec ==
    /\ LiveInit /\ [][LiveNext]_lvars
    /\ []<>fence_confirmed
    /\ []<>(permit_kind[0] # 3) \/ []<><<permit_kind[0] = 3 /\ quantity'[0] # quantity[0]>>_vars
    /\ []<>(~Young) \/ []<><<shock_age_ms' > shock_age_ms>>_vars
    /\ []<>(multiplier_ppm >= Target) \/ []<><<multiplier_ppm' > multiplier_ppm>>_vars
    /\ []<>(~CanClimb) \/ []<><<posture' > posture \/ bars_above' > bars_above>>_vars

-----------------------------------------------------------------------------
KillLeadsToFlat == killed ~> Flat
HealthLeadsToApex == calm ~> (posture = APEX)
=============================================================================
