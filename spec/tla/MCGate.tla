------------------------------- MODULE MCGate -------------------------------
(***************************************************************************)
(* Gate alone: two workers (interchangeable: SYMMETRY), two instruments,   *)
(* two permits at once, claims, marks, partial fills, both sides, epochs   *)
(* that only grow (bounded by EPOCH_MAX), every posture.  Around it:       *)
(* posture moves as Kernel lets it (Demote and Restart advance the fence,  *)
(* Promote leaves HIBERNATE only flat), and capital is one of Capitals at  *)
(* each request.  `answer` as in MCKillSwitch.                             *)
(***************************************************************************)
EXTENDS Gate, Sequences, TLC

CONSTANTS EPOCH_MAX, MarkSet, Capitals, OrderSet, Lots, Claims, Postures

VARIABLES answer, judged_by     \* the last verdict, and the capital it was judged by

vars == <<gate, posture>>
View == vars
Symmetry == Permutations(Workers)

MCNextEpoch(e) == e + 1
MCPriceMax == Amount(9)
MCFeeMax == Amount(1)
SomebodyElse == "nobody"
Marks == { Amount(v) : v \in MarkSet }

Order(i, side, reduce, market, lots, limit, leverage) ==
    [instrument |-> i, side |-> side, reduce_only |-> reduce, market |-> market, quantity |-> lots,
     limit_price |-> Amount(limit), leverage_ppm |-> leverage * ONE]
OrderOf(name) ==
    CASE name = "buy 2" -> Order(1, 1, FALSE, FALSE, 2, 1, 1)
      [] name = "buy" -> Order(1, 1, FALSE, FALSE, 1, 1, 1)
      [] name = "buy at market" -> Order(1, 1, FALSE, TRUE, 1, 0, 1)
      [] name = "buy other" -> Order(2, 1, FALSE, FALSE, 1, 1, 2)
      [] name = "sell short 2" -> Order(1, -1, FALSE, TRUE, 2, 0, 1)
      [] name = "exit" -> Order(1, -1, TRUE, TRUE, 1, 0, 1)
      [] name = "exit 2" -> Order(1, -1, TRUE, FALSE, 2, 1, 1)
      [] name = "exit other" -> Order(2, -1, TRUE, TRUE, 1, 0, 1)
      [] name = "cover" -> Order(1, 1, TRUE, TRUE, 1, 0, 1)
      [] name = "leverage" -> Order(1, 1, FALSE, FALSE, 1, 1, 7)
      [] name = "no lots" -> Order(1, 1, FALSE, FALSE, 0, 1, 1)
      [] OTHER -> Order(1, 0, FALSE, TRUE, 1, 1, 1)
Requests == { OrderOf(name) : name \in OrderSet }
CapitalSet == { Amount(v) : v \in Capitals }

MCInit == Init /\ posture = 0 /\ answer = "ok" /\ judged_by = Zero

Judged == answer' = "ok"
Accept == Judged /\ UNCHANGED judged_by
Still == UNCHANGED posture
Refuse(reason) ==
    /\ answer' = reason /\ UNCHANGED judged_by
    /\ UNCHANGED vars

MayAdvance == fence_epoch < EPOCH_MAX
Demote(p) == p < posture /\ MayAdvance /\ posture' = p /\ AdvanceFence /\ Accept
Restart == MayAdvance /\ posture' = 0 /\ AdvanceFence /\ Accept
Promote ==
    /\ posture < 3 /\ (posture + 1) \in Postures
    /\ posture = 0 => Flat /\ fence_confirmed
    /\ posture' = posture + 1 /\ UNCHANGED gate /\ Accept
DoConfirmFence(e) == ConfirmFence(e) /\ Still /\ Accept
DoClaimInstrument(w, i) == ClaimInstrument(w, i) /\ Still /\ Accept
DoUpdateMark(i, p) == UpdateMark(i, p) /\ Still /\ Accept
DoRequestOrder(w, o, c) == RequestOrder(w, o, posture, c) /\ judged_by' = c /\ Still /\ Judged
DoReportFill(w, q) == FillPermitted(w, q) /\ Fill(w, q, Amount(1)) /\ Still /\ Accept
DoCloseOrder(w) == CloseOrder(w) /\ Still /\ Accept

RefuseConfirmFence(e) == ConfirmFenceVerdict(e) # "ok" /\ Refuse("STALE_EPOCH")

Moves ==
    \/ \E p \in 0..2 : Demote(p)
    \/ Promote
    \/ Restart
    \/ \E e \in 0..EPOCH_MAX : DoConfirmFence(e)
    \/ \E w \in Workers, i \in Claims : DoClaimInstrument(w, i)
    \/ \E i \in 1..INSTRUMENT_MAX, p \in Marks : DoUpdateMark(i, p)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : DoRequestOrder(w, o, c)
    \/ \E w \in Workers, q \in Lots : DoReportFill(w, q)
    \/ \E w \in Workers : DoCloseOrder(w)
    \/ \E e \in 0..EPOCH_MAX : RefuseConfirmFence(e)

all == <<vars, answer, judged_by>>
Spec == MCInit /\ [][Moves]_all

-----------------------------------------------------------------------------
(* Each refusal reason as a disjunct of its own (MCGateReasons.cfg).       *)

Anyone == Workers \cup {SomebodyElse}
Claim_(w, i, r) == ClaimInstrumentVerdict(w, i) = r /\ Refuse(r)
RefuseClaimInstrument_MALFORMED(w, i) == Claim_(w, i, "MALFORMED")
RefuseClaimInstrument_PERMIT_OUTSTANDING(w, i) == Claim_(w, i, "PERMIT_OUTSTANDING")
RefuseClaimInstrument_POSITION_OPEN(w, i) == Claim_(w, i, "POSITION_OPEN")
RefuseClaimInstrument_INSTRUMENT_OWNED(w, i) == Claim_(w, i, "INSTRUMENT_OWNED")
RefuseUpdateMark_MALFORMED(i, p) == UpdateMarkVerdict(i, p) = "MALFORMED" /\ Refuse("MALFORMED")
RefuseUpdateMark_INSTRUMENT_NOT_CLAIMED(i, p) ==
    UpdateMarkVerdict(i, p) = "INSTRUMENT_NOT_CLAIMED" /\ Refuse("INSTRUMENT_NOT_CLAIMED")
RefuseCloseOrder_MALFORMED(w) == CloseOrderVerdict(w) = "MALFORMED" /\ Refuse("MALFORMED")
RefuseCloseOrder_NO_PERMIT(w) == CloseOrderVerdict(w) = "NO_PERMIT" /\ Refuse("NO_PERMIT")
RefuseConfirmFence_STALE_EPOCH(e) == ConfirmFenceVerdict(e) = "STALE_EPOCH" /\ Refuse("STALE_EPOCH")
RefuseReportFill_MALFORMED(w, q) == ReportFillVerdict(w, q, Amount(1), Zero) = "MALFORMED" /\ Refuse("MALFORMED")

Order_(w, o, c, r) == RequestOrderVerdict(w, o, posture, c) = r /\ Refuse(r)
RefuseRequestOrder_MALFORMED(w, o, c) == Order_(w, o, c, "MALFORMED")
RefuseRequestOrder_HIBERNATING(w, o, c) == Order_(w, o, c, "HIBERNATING")
RefuseRequestOrder_FENCE_UNCONFIRMED(w, o, c) == Order_(w, o, c, "FENCE_UNCONFIRMED")
RefuseRequestOrder_INSTRUMENT_NOT_CLAIMED(w, o, c) == Order_(w, o, c, "INSTRUMENT_NOT_CLAIMED")
RefuseRequestOrder_PERMIT_OUTSTANDING(w, o, c) == Order_(w, o, c, "PERMIT_OUTSTANDING")
RefuseRequestOrder_NO_MARK(w, o, c) == Order_(w, o, c, "NO_MARK")
RefuseRequestOrder_NOTHING_TO_REDUCE(w, o, c) == Order_(w, o, c, "NOTHING_TO_REDUCE")
RefuseRequestOrder_WOULD_GROW(w, o, c) == Order_(w, o, c, "WOULD_GROW")
RefuseRequestOrder_WOULD_FLIP(w, o, c) == Order_(w, o, c, "WOULD_FLIP")
RefuseRequestOrder_POSITION_OPEN(w, o, c) == Order_(w, o, c, "POSITION_OPEN")
RefuseRequestOrder_POSTURE_FORBIDS_ENTRY(w, o, c) == Order_(w, o, c, "POSTURE_FORBIDS_ENTRY")
RefuseRequestOrder_LIMIT_ONLY(w, o, c) == Order_(w, o, c, "LIMIT_ONLY")
RefuseRequestOrder_LEVERAGE_ABOVE_CEILING(w, o, c) == Order_(w, o, c, "LEVERAGE_ABOVE_CEILING")
RefuseRequestOrder_NOTIONAL_ABOVE_FRACTION(w, o, c) == Order_(w, o, c, "NOTIONAL_ABOVE_FRACTION")
RefuseRequestOrder_EXPOSURE_ABOVE_CEILING(w, o, c) == Order_(w, o, c, "EXPOSURE_ABOVE_CEILING")

Refusals ==
    \/ \E w \in Anyone, i \in Claims : RefuseClaimInstrument_MALFORMED(w, i)
    \/ \E w \in Workers, i \in Claims : RefuseClaimInstrument_PERMIT_OUTSTANDING(w, i)
    \/ \E w \in Workers, i \in Claims : RefuseClaimInstrument_POSITION_OPEN(w, i)
    \/ \E w \in Workers, i \in Claims : RefuseClaimInstrument_INSTRUMENT_OWNED(w, i)
    \/ \E i \in 0..INSTRUMENT_MAX, p \in Marks : RefuseUpdateMark_MALFORMED(i, p)
    \/ \E i \in 0..INSTRUMENT_MAX, p \in Marks : RefuseUpdateMark_INSTRUMENT_NOT_CLAIMED(i, p)
    \/ \E w \in Anyone : RefuseCloseOrder_MALFORMED(w)
    \/ \E w \in Workers : RefuseCloseOrder_NO_PERMIT(w)
    \/ \E e \in 0..EPOCH_MAX : RefuseConfirmFence_STALE_EPOCH(e)
    \/ \E w \in Anyone, q \in Lots \cup {0} : RefuseReportFill_MALFORMED(w, q)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_MALFORMED(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_HIBERNATING(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_FENCE_UNCONFIRMED(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_INSTRUMENT_NOT_CLAIMED(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_PERMIT_OUTSTANDING(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_NO_MARK(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_NOTHING_TO_REDUCE(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_WOULD_GROW(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_WOULD_FLIP(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_POSITION_OPEN(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_POSTURE_FORBIDS_ENTRY(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_LIMIT_ONLY(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_LEVERAGE_ABOVE_CEILING(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_NOTIONAL_ABOVE_FRACTION(w, o, c)
    \/ \E w \in Workers, o \in Requests, c \in CapitalSet : RefuseRequestOrder_EXPOSURE_ABOVE_CEILING(w, o, c)

NextReasons == Moves \/ Refusals
SpecReasons == MCInit /\ [][NextReasons]_all

-----------------------------------------------------------------------------
(* Promises about a verdict: what no later state would show.               *)

UnclaimedMarkIsRefused ==
    \A i \in 1..INSTRUMENT_MAX : Owners(i) = {} =>
        UpdateMarkVerdict(i, Amount(1)) = "INSTRUMENT_NOT_CLAIMED"
MalformedIsRefused ==
    /\ UpdateMarkVerdict(0, Amount(1)) = "MALFORMED" /\ UpdateMarkVerdict(1, Zero) = "MALFORMED"
    /\ CloseOrderVerdict(SomebodyElse) = "MALFORMED"
    /\ \A w \in Workers : ReportFillVerdict(w, 0, Amount(1), Zero) = "MALFORMED"
CloseNeedsPermit == \A w \in Workers : permit_kind[w] = NONE => CloseOrderVerdict(w) = "NO_PERMIT"
StaleConfirmationIsRefused ==
    \A e \in 0..EPOCH_MAX : e # fence_epoch \/ fence_confirmed => ConfirmFenceVerdict(e) = "STALE_EPOCH"

Passes(w, o) == \E c \in CapitalSet : RequestOrderVerdict(w, o, posture, c) = "ok"
OrdersAreForTheClaim == \A w \in Workers, o \in Requests : Passes(w, o) => o.instrument = instrument[w]
StalkerEntriesAreLimit ==
    profile = "specification" /\ posture = 2 =>
        \A w \in Workers, o \in Requests : Passes(w, o) => o.reduce_only \/ ~o.market
LeverageWithinCeiling ==
    \A w \in Workers, o \in Requests : Passes(w, o) => o.reduce_only \/ o.leverage_ppm <= Ceiling(posture) * ONE

\* A step that issues an entry: its notional within the fraction, the whole within the ceiling.
Entered(w) == Issues(w, {ENTRY})
NotionalWithinFraction == [][\A w \in Workers : Entered(w) =>
    AtMost(Times(5, ReservedOf(w)'), Times(Ceiling(posture), judged_by'))]_vars
ExposureWithinCeiling == [][\A w \in Workers : Entered(w) =>
    AtMost(Add(open_notional', reserved_notional'), Times(Ceiling(posture), judged_by'))]_vars
\* KRN-STEP-001
RefusalsChangeNothing == [][answer' # "ok" => UNCHANGED vars]_all
=============================================================================
