------------------------------ MODULE MCKernel ------------------------------
(***************************************************************************)
(* Kernel, bounded.  Every cfg of this module is a window: it chooses      *)
(* which events happen (Use) with which parameters (the sets below), and   *)
(* where the kernel starts.  The windows overlap; together they show every *)
(* event in every posture.                                                 *)
(*                                                                         *)
(* What keeps it finite without a bound on its length: ages saturate, the  *)
(* epoch is counted modulo 2 (a stale confirmation is the other value),    *)
(* quantities are 1 lot, fills are at the mark, and an entry is issued     *)
(* only while cash is in Band (ACTION_CONSTRAINT EntriesWithinBand: later  *)
(* fills may leave it, nothing is blocked).                                *)
(*                                                                         *)
(* For MCReplay: the parameter sets are the operators and constants that   *)
(* Next quantifies over; each disjunct is an event's operator, named as in *)
(* docs/KERNEL.md, or Refuse<Event>, which takes the same parameters.      *)
(***************************************************************************)
EXTENDS Kernel, Sequences

CONSTANTS
    Use,                \* names of the events without parameters, and "refusals"
    Dts,                \* process time steps
    BarDts, Aheads,     \* bars: lengths, and whether they outrun process time
    Beats,              \* partitions that send heartbeats
    Grids, Statuses, Books, Causes,
    MarkSet, Marked,    \* prices, as integers (Amount), and the instruments they come for
    Claims,             \* instruments that may be claimed
    OrderSet,           \* orders, by name (see Orders)
    Fees, Lots,         \* of fills
    Epochs,             \* that may be confirmed
    Band,               \* cash at which entries are issued, as integers
    StartPosture, StartHealthy, StartClaimed

Table(values, i) == values[Min(i, Len(values) - 1) + 1]

(* Scale 4: gates 4, 3, 2.  A shock calls for TURTLE, a loss for STALKER,  *)
(* both together or two losses for HIBERNATE, so that each posture is      *)
(* reached from above as well as from below.                               *)
MCCapitalCurve(dd) == Table(<<4, 3, 1, 0, 0>>, dd)
MCStructuralDecay(s) == Table(<<4, 4, 4, 2>>, s)
MCEnvironmentCurve(s) == Table(<<2, 2, 4>>, s)
MCLatencyCurve(ms) == Table(<<4, 4, 4, 2>>, ms)
MCJitterCurve(ms) == Table(<<4, 3>>, ms)
MCDepthCurve(d) == d
MCGainOver(dt) == IF profile = "bible" THEN 4 ELSE 2
MCNextEpoch(e) == (e + 1) % 2
MCHeartbeatLimit == [p \in Partitions |-> 1]
MCOpeningCash == Amount(10)
MCPriceMax == Amount(30)
MCFeeMax == Amount(1)
MCCashMax == Amount(30)
BackAndForth == {-1, 1}
BackAndBar == {-1, 1, 2}
OneBook == { <<4, 4, 0, 0>> }
BadBooks == { <<4, 4, 0, 0>>, <<0, 4, 0, 0>> }
SpecificationBooks == { <<4, 4, 0, 0>>, <<4, 4, 3, 1>> }

\* Orders, by name.  Each is for the instrument of its worker where Claims are fixed.
Order(i, side, reduce, market, lots, limit, leverage) ==
    [instrument |-> i, side |-> side, reduce_only |-> reduce, market |-> market, quantity |-> lots,
     limit_price |-> Amount(limit), leverage_ppm |-> leverage * ONE]
Orders(w) ==
    { CASE name = "buy" -> Order(w + 1, 1, FALSE, FALSE, 1, 2, 1)
        [] name = "buy at market" -> Order(w + 1, 1, FALSE, TRUE, 1, 0, 1)
        [] name = "sell short" -> Order(w + 1, -1, FALSE, FALSE, 1, 2, 1)
        [] name = "two lots" -> Order(w + 1, 1, FALSE, FALSE, 2, 2, 1)
        [] name = "exit" -> Order(w + 1, -1, TRUE, TRUE, 1, 0, 1)
        [] name = "cover" -> Order(w + 1, 1, TRUE, TRUE, 1, 0, 1)
        [] name = "too much" -> Order(w + 1, 1, FALSE, FALSE, 7, 2, 1)
        [] name = "too high" -> Order(w + 1, 1, FALSE, FALSE, 1, 2, 7)
        [] name = "two lots out" -> Order(w + 1, -1, TRUE, TRUE, 2, 0, 1)
        [] name = "not mine" -> Order(2 - w, 1, FALSE, TRUE, 1, 0, 1)
        [] OTHER -> Order(0, 0, FALSE, TRUE, 0, 2, 0)
      : name \in OrderSet }
OrdersOf == [w \in Workers |-> Orders(w)]
AllOrders == UNION { OrdersOf[w] : w \in Workers }

Marks == { Amount(v) : v \in MarkSet }
FeeAmounts == { Amount(v) : v \in Fees }
With(event) == Use \cap {event}
Refusing == With("refusals")

-----------------------------------------------------------------------------
StartSensors ==
    IF StartHealthy
    THEN /\ forewarner_status = 0 /\ forewarner_age_ms = AGE_MS_MAX
         /\ book_age_ms = AGE_MS_MAX /\ shock_age_ms = AGE_MS_MAX
         /\ depth_quality_ppm = ONE /\ fill_probability_ppm = ONE
         /\ book_latency_ms = 0 /\ book_jitter_ms = 0
         /\ multiplier_ppm = IF StartPosture = APEX THEN ONE ELSE 0
    ELSE SV!Init

StartSlots ==
    /\ fence_epoch = 0 /\ fence_confirmed = (StartPosture = APEX)
    /\ instrument = [w \in Workers |-> IF StartClaimed THEN w + 1 ELSE 0]
    /\ mark = [w \in Workers |->
                IF StartClaimed THEN Amount(CHOOSE v \in MarkSet : \A u \in MarkSet : v <= u) ELSE Zero]
    /\ quantity = [w \in Workers |-> 0]
    /\ cost = [w \in Workers |-> Zero]
    /\ permit_kind = [w \in Workers |-> 0]
    /\ permit_quantity = [w \in Workers |-> 0]
    /\ permit_price = [w \in Workers |-> Zero]
    /\ reserved_notional = Zero /\ open_notional = Zero

MCInit ==
    /\ KS!Init
    /\ StartSensors
    /\ posture = StartPosture /\ bars_below = 0 /\ bars_above = 0
    /\ StartSlots
    /\ LG!Init

-----------------------------------------------------------------------------
RefuseAdvanceTime(dt) == AdvanceTimeVerdict(dt) # "ok" /\ UNCHANGED vars
RefuseCloseBar(dt, ahead) == CloseBarVerdict(dt, ahead) # "ok" /\ UNCHANGED vars
RefuseUpdateMark(i, p) == UpdateMarkVerdict(i, p) # "ok" /\ UNCHANGED vars
RefuseClaimInstrument(w, i) == ClaimInstrumentVerdict(w, i) # "ok" /\ UNCHANGED vars
RefuseRequestOrder(w, o) == RequestOrderVerdict(w, o) # "ok" /\ UNCHANGED vars
RefuseCloseOrder(w) == CloseOrderVerdict(w) # "ok" /\ UNCHANGED vars
RefuseConfirmFence(e) == ConfirmFenceVerdict(e) # "ok" /\ UNCHANGED vars
RefuseRequestRearm == RequestRearmVerdict # "ok" /\ UNCHANGED vars
RefuseConfirmRearm == ConfirmRearmVerdict # "ok" /\ UNCHANGED vars
RefuseRequestPeakReset == RequestPeakResetVerdict # "ok" /\ UNCHANGED vars
RefuseConfirmPeakReset == ConfirmPeakResetVerdict # "ok" /\ UNCHANGED vars

\* A worker's orders; a fill of its permit at its mark.
RequestOwnOrder(w, o) == o \in OrdersOf[w] /\ RequestOrder(w, o)
ReportFillAtMark(w, lots, fee) ==
    /\ permit_kind[w] # 0 /\ lots <= Abs(permit_quantity[w])
    /\ ReportFill(w, lots, mark[w], fee)
\* A fill that no permit covers.
ReportStrayFill(w) == permit_kind[w] = 0 /\ ReportFill(w, 1, Amount(2), Zero)

Accepting ==
    \/ \E dt \in Dts : AdvanceTime(dt)
    \/ \E dt \in BarDts, ahead \in Aheads : CloseBar(dt, ahead)
    \/ \E p \in Beats : RecordHeartbeat(p)
    \/ \E m \in Grids : ReportGrid(m)
    \/ \E s \in Statuses : ReportForewarner(s)
    \/ \E b \in Books : ReportBook(b[1], b[2], b[3], b[4])
    \/ \E e \in With("ReportShock") : ReportShock
    \/ \E i \in Marked, p \in Marks : UpdateMark(i, p)
    \/ \E w \in Workers, i \in Claims : ClaimInstrument(w, i)
    \/ \E w \in Workers, o \in AllOrders : RequestOwnOrder(w, o)
    \/ \E w \in Workers, q \in Lots, f \in FeeAmounts : ReportFillAtMark(w, q, f)
    \/ \E w \in Workers, e \in With("ReportStrayFill") : ReportStrayFill(w)
    \/ \E w \in Workers : CloseOrder(w)
    \/ \E e \in Epochs : ConfirmFence(e)
    \/ \E e \in With("ReconcileLedger") : ReconcileLedger(cash, quantity)
    \/ \E e \in With("ReconcileLedger") : ReconcileLedger(Add(cash, Micro), quantity)
    \/ \E c \in Causes : TripKillSwitch(c)
    \/ \E e \in With("RequestRearm") : RequestRearm
    \/ \E e \in With("RequestRearm") : ConfirmRearm
    \/ \E e \in With("RequestPeakReset") : RequestPeakReset
    \/ \E e \in With("RequestPeakReset") : ConfirmPeakReset
    \/ \E e \in With("FailJournal") : FailJournal
    \/ \E e \in With("FailJournal") : RestoreJournal
    \/ \E e \in With("RestartKernel") : RestartKernel

Next ==
    \/ Accepting
    \/ \E r \in Refusing, dt \in Dts : RefuseAdvanceTime(dt)
    \/ \E r \in Refusing, dt \in BarDts, ahead \in Aheads : RefuseCloseBar(dt, ahead)
    \/ \E r \in Refusing, i \in Marked, p \in Marks : RefuseUpdateMark(i, p)
    \/ \E r \in Refusing, w \in Workers, i \in Claims : RefuseClaimInstrument(w, i)
    \/ \E r \in Refusing, w \in Workers, o \in AllOrders : RefuseRequestOrder(w, o)
    \/ \E r \in Refusing, w \in Workers : RefuseCloseOrder(w)
    \/ \E r \in Refusing, e \in Epochs : RefuseConfirmFence(e)
    \/ \E r \in Refusing : RefuseRequestRearm
    \/ \E r \in Refusing : RefuseConfirmRearm
    \/ \E r \in Refusing : RefuseRequestPeakReset
    \/ \E r \in Refusing : RefuseConfirmPeakReset

\* KRN-STEP-004, KRN-STEP-005
Spec == MCInit /\ [][Next]_vars

-----------------------------------------------------------------------------
EntriesWithinBand ==
    (\E w \in Workers : permit_kind'[w] = 1 /\ permit_kind[w] = 0) => \E v \in Band : cash = Amount(v)

\* A view of cash that cannot be is refused, not accepted.
ImpossibleViewIsRefused == ReconcileLedgerVerdict(Add(CASH_MAX, Micro), quantity) = "MALFORMED"

\* R rises only in a bar, by at most RecoveryStep.
\* KRN-SURV-028, KRN-SURV-029
SlowRecovery == [][SV!RisesByBar(BarDts)]_vars

(* What a trader knows of it: every step here is one of Trader's, or none. *)
TR == INSTANCE Trader WITH
    Lots <- -QUANTITY_MAX..QUANTITY_MAX \ {0},
    fenced <- fence_confirmed,
    position <- quantity,
    order <- permit_quantity,
    within <- AtMost(Add(open_notional, reserved_notional), Times(Ceiling(Effective), Capital))
RefinesTrader == TR!Spec
=============================================================================
