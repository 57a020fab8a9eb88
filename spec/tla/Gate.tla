-------------------------------- MODULE Gate --------------------------------
(***************************************************************************)
(* The order gate: nothing reaches an exchange without a permit, and       *)
(* permits come from here.                                                 *)
(*                                                                         *)
(* Theory.  A permit is a promise about exposure: while it is outstanding  *)
(* its notional counts as reserved.  It dies with its epoch: when the      *)
(* fence advances the guard refuses older ones, and the kernel waits for   *)
(* ConfirmFence before it frees their slots, since an order of theirs may  *)
(* still fill until then.  No permit is issued while the fence is          *)
(* unconfirmed, so all outstanding permits are of one epoch and no epoch   *)
(* need stand beside a permit.                                             *)
(*                                                                         *)
(* Rules of the file.  One slot per worker; the fields of a slot are       *)
(* functions of the worker.  Prices and notionals are Money; quantities    *)
(* are lots, signed.  An order is a record with the fields of RequestOrder *)
(* but the worker.  `posture` is read; `effective` and `capital` are       *)
(* parameters (Kernel passes Posture!Effective and Ledger!Capital).        *)
(* Totals are variables, moved by the difference; the invariants say they  *)
(* are the sums (a recursive sum in an action is slow).                    *)
(*                                                                         *)
(* Not here: what a fill does to accounts (Ledger, through FillProfit);    *)
(* MAC, use count and expiry of a permit (the guard).                      *)
(* Sources: specification VI.2, VII.1; bible 6.4, 6.5, 11.7, 13.2.         *)
(* Code: kernel/gate.py, kernel/slots.py, kernel/ledger.py (fills).        *)
(***************************************************************************)
EXTENDS Money, FiniteSets

CONSTANTS
    profile,
    Workers,                                        \* 0..7; models take two
    INSTRUMENT_MAX, QUANTITY_MAX, LEVERAGE_PPM_MAX,
    PRICE_MAX, FEE_MAX,                             \* Money
    NextEpoch(_)            \* e + 1; (e + 1) % 2 in MCKernel, which keeps it finite

VARIABLES
    fence_epoch, fence_confirmed,
    instrument, mark, quantity, cost,               \* by worker
    permit_kind, permit_quantity, permit_price,     \* by worker
    reserved_notional, open_notional,
    posture                                         \* read only

fence == <<fence_epoch, fence_confirmed>>
position == <<instrument, mark, quantity, cost>>
permit == <<permit_kind, permit_quantity, permit_price>>
totals == <<reserved_notional, open_notional>>
gate == <<fence, position, permit, totals>>

NONE == 0
ENTRY == 1
EXIT == 2
FLATTEN == 3

\* KRN-INIT-001
Init ==
    /\ fence_epoch = 0 /\ fence_confirmed = FALSE
    /\ instrument = [w \in Workers |-> 0]
    /\ mark = [w \in Workers |-> Zero]
    /\ quantity = [w \in Workers |-> 0]
    /\ cost = [w \in Workers |-> Zero]
    /\ permit_kind = [w \in Workers |-> NONE]
    /\ permit_quantity = [w \in Workers |-> 0]
    /\ permit_price = [w \in Workers |-> Zero]
    /\ reserved_notional = Zero /\ open_notional = Zero

InRange(p, most) == ~Less(p, Zero) /\ ~Less(most, p)
TypeOK ==
    /\ fence_epoch >= 0 /\ fence_confirmed \in BOOLEAN
    /\ \A w \in Workers :
        /\ instrument[w] \in 0..INSTRUMENT_MAX
        /\ InRange(mark[w], PRICE_MAX) /\ InRange(permit_price[w], PRICE_MAX)
        /\ Abs(quantity[w]) <= QUANTITY_MAX /\ Abs(permit_quantity[w]) <= QUANTITY_MAX
        /\ Abs(quantity[w] + permit_quantity[w]) <= QUANTITY_MAX
        /\ permit_kind[w] \in 0..3
    /\ ~Less(reserved_notional, Zero) /\ ~Less(open_notional, Zero)

-----------------------------------------------------------------------------
(* Slots and totals.                                                       *)

Owners(i) == { w \in Workers : instrument[w] = i }
Flat == \A w \in Workers : quantity[w] = 0 /\ permit_kind[w] = NONE

OpenOf(w) == Times(Abs(quantity[w]), mark[w])
ReservedOf(w) == IF permit_kind[w] = ENTRY THEN Times(Abs(permit_quantity[w]), permit_price[w]) ELSE Zero
UnrealisedOf(w) == Sub(Times(quantity[w], mark[w]), cost[w])

RECURSIVE SumOver(_, _)
SumOver(f, S) == IF S = {} THEN Zero
                 ELSE LET w == CHOOSE x \in S : TRUE IN Add(f[w], SumOver(f, S \ {w}))

\* KRN-GATE-015
Ceiling(p) == IF p = 3 THEN 6
              ELSE IF p = 2 THEN 2 ELSE 0

-----------------------------------------------------------------------------
(* The fence.                                                              *)

\* KRN-FENCE-001, KRN-FENCE-010
AdvanceFence ==
    /\ fence_epoch' = NextEpoch(fence_epoch)
    /\ fence_confirmed' = FALSE
    /\ UNCHANGED <<position, permit, totals>>

\* KRN-FENCE-003, KRN-FENCE-004
ConfirmFenceVerdict(epoch) ==
    IF epoch # fence_epoch THEN "STALE_EPOCH"
    ELSE IF fence_confirmed THEN "STALE_EPOCH" ELSE "ok"

\* Every permit of the older epochs is dead; in HIBERNATE every position gets its flatten.
\* KRN-FENCE-005, KRN-FENCE-006, KRN-FENCE-008
ConfirmFence(epoch) ==
    /\ ConfirmFenceVerdict(epoch) = "ok"
    /\ fence_confirmed' = TRUE
    /\ LET flattened(w) == posture = 0 /\ quantity[w] # 0
       IN  /\ permit_kind' = [w \in Workers |-> IF flattened(w) THEN FLATTEN ELSE NONE]
           /\ permit_quantity' = [w \in Workers |-> IF flattened(w) THEN -quantity[w] ELSE 0]
           /\ permit_price' = [w \in Workers |-> IF flattened(w) THEN mark[w] ELSE Zero]
    /\ reserved_notional' = Zero
    /\ UNCHANGED <<fence_epoch, position, open_notional>>

-----------------------------------------------------------------------------
(* Claims and marks.                                                       *)

\* KRN-RNG-008, KRN-GATE-031, KRN-GATE-032, KRN-GATE-033, KRN-GATE-035
ClaimInstrumentVerdict(w, i) ==
    IF w \notin Workers \/ i \notin 0..INSTRUMENT_MAX THEN "MALFORMED"
    ELSE IF permit_kind[w] # NONE THEN "PERMIT_OUTSTANDING"
    ELSE IF quantity[w] # 0 THEN "POSITION_OPEN"
    ELSE IF i # 0 /\ \E v \in Workers \ {w} : instrument[v] = i THEN "INSTRUMENT_OWNED"
    ELSE "ok"

\* KRN-GATE-034
ClaimInstrument(w, i) ==
    /\ ClaimInstrumentVerdict(w, i) = "ok"
    /\ instrument' = [instrument EXCEPT ![w] = i]
    /\ mark' = IF i = instrument[w] THEN mark ELSE [mark EXCEPT ![w] = Zero]
    /\ UNCHANGED <<fence, quantity, cost, permit, totals>>

\* KRN-RNG-007, KRN-LEDG-009
UpdateMarkVerdict(i, price) ==
    IF i \notin 1..INSTRUMENT_MAX \/ ~Positive(price) \/ Less(PRICE_MAX, price)
    THEN "MALFORMED"
    ELSE IF Owners(i) = {} THEN "INSTRUMENT_NOT_CLAIMED"
    ELSE "ok"

\* KRN-LEDG-010
UpdateMark(i, price) ==
    /\ UpdateMarkVerdict(i, price) = "ok"
    /\ mark' = [w \in Workers |-> IF instrument[w] = i THEN price ELSE mark[w]]
    /\ open_notional' =
        LET w == CHOOSE w \in Owners(i) : TRUE
        IN  Add(Sub(open_notional, OpenOf(w)), Times(Abs(quantity[w]), price))
    /\ UNCHANGED <<fence, instrument, quantity, cost, permit, reserved_notional>>

-----------------------------------------------------------------------------
(* Orders.                                                                 *)

\* KRN-GATE-018
PermitPrice(w, o) == MaxOf(o.limit_price, mark[w])
Notional(w, o) == Times(o.quantity, PermitPrice(w, o))

\* KRN-RNG-009, KRN-RNG-010, KRN-RNG-011
OrderMalformed(w, o) ==
    \/ w \notin Workers
    \/ o.instrument \notin 1..INSTRUMENT_MAX
    \/ o.side \notin {1, -1}
    \/ o.quantity \notin 1..QUANTITY_MAX
    \/ ~InRange(o.limit_price, PRICE_MAX)
    \/ o.market # (o.limit_price = Zero)
    \/ o.leverage_ppm \notin 1..LEVERAGE_PPM_MAX

\* KRN-GATE-006, KRN-GATE-007, KRN-GATE-008, KRN-GATE-009
ReduceVerdict(w, o) ==
    IF quantity[w] = 0 THEN "NOTHING_TO_REDUCE"
    ELSE IF Sign(quantity[w]) = o.side THEN "WOULD_GROW"
    ELSE IF o.quantity > Abs(quantity[w]) THEN "WOULD_FLIP"
    ELSE "ok"

\* KRN-GATE-010, KRN-GATE-011, KRN-GATE-012, KRN-GATE-013, KRN-GATE-014, KRN-GATE-016,
\* KRN-GATE-017
EntryVerdict(w, o, effective, capital) ==
    IF quantity[w] # 0 THEN "POSITION_OPEN"
    ELSE IF effective < 2 THEN "POSTURE_FORBIDS_ENTRY"
    ELSE IF profile = "specification" /\ effective = 2 /\ o.market THEN "LIMIT_ONLY"
    ELSE IF o.leverage_ppm > Ceiling(effective) * ONE THEN "LEVERAGE_ABOVE_CEILING"
    ELSE IF Less(Over(Times(Ceiling(effective), capital), 5), Notional(w, o))
        THEN "NOTIONAL_ABOVE_FRACTION"
    ELSE IF Less(Times(Ceiling(effective), capital),
                 Add(Add(open_notional, reserved_notional), Notional(w, o)))
        THEN "EXPOSURE_ABOVE_CEILING"
    ELSE "ok"

\* KRN-GATE-001, KRN-GATE-002, KRN-GATE-003, KRN-GATE-004, KRN-GATE-005, KRN-GATE-020
RequestOrderVerdict(w, o, effective, capital) ==
    IF OrderMalformed(w, o) THEN "MALFORMED"
    ELSE IF posture = 0 THEN "HIBERNATING"
    ELSE IF ~fence_confirmed THEN "FENCE_UNCONFIRMED"
    ELSE IF instrument[w] # o.instrument THEN "INSTRUMENT_NOT_CLAIMED"
    ELSE IF permit_kind[w] # NONE THEN "PERMIT_OUTSTANDING"
    ELSE IF mark[w] = Zero THEN "NO_MARK"
    ELSE IF o.reduce_only THEN ReduceVerdict(w, o)
    ELSE EntryVerdict(w, o, effective, capital)

\* KRN-GATE-021, KRN-GATE-022, KRN-GATE-024
RequestOrder(w, o, effective, capital) ==
    /\ RequestOrderVerdict(w, o, effective, capital) = "ok"
    /\ permit_kind' = [permit_kind EXCEPT ![w] = IF o.reduce_only THEN EXIT ELSE ENTRY]
    /\ permit_quantity' = [permit_quantity EXCEPT ![w] = o.side * o.quantity]
    /\ permit_price' = [permit_price EXCEPT ![w] = PermitPrice(w, o)]
    /\ reserved_notional' = IF o.reduce_only THEN reserved_notional
                            ELSE Add(reserved_notional, Notional(w, o))
    /\ UNCHANGED <<fence, position, open_notional>>

\* KRN-RNG-013, KRN-GATE-037
CloseOrderVerdict(w) ==
    IF w \notin Workers THEN "MALFORMED"
    ELSE IF permit_kind[w] = NONE THEN "NO_PERMIT" ELSE "ok"

\* In HIBERNATE behind a confirmed fence the flatten is renewed until the position is gone.
\* KRN-GATE-038, KRN-GATE-039, KRN-GATE-040
CloseOrder(w) ==
    /\ CloseOrderVerdict(w) = "ok"
    /\ LET renewed == posture = 0 /\ fence_confirmed /\ quantity[w] # 0
       IN  /\ permit_kind' = [permit_kind EXCEPT ![w] = IF renewed THEN FLATTEN ELSE NONE]
           /\ permit_quantity' = [permit_quantity EXCEPT ![w] = IF renewed THEN -quantity[w] ELSE 0]
           /\ permit_price' = [permit_price EXCEPT ![w] = IF renewed THEN mark[w] ELSE Zero]
    /\ reserved_notional' = Sub(reserved_notional, ReservedOf(w))
    /\ UNCHANGED <<fence, position, open_notional>>

-----------------------------------------------------------------------------
(* Fills.                                                                  *)

\* KRN-RNG-012
ReportFillVerdict(w, lots, price, fee) ==
    IF \/ w \notin Workers \/ lots \notin 1..QUANTITY_MAX
       \/ ~Positive(price) \/ Less(PRICE_MAX, price) \/ ~InRange(fee, FEE_MAX)
    THEN "MALFORMED" ELSE "ok"

\* Anything else is a desync (Kernel, ReportFill).
\* KRN-LEDG-016, KRN-LEDG-017
FillPermitted(w, lots) ==
    permit_kind[w] # NONE /\ lots <= Abs(permit_quantity[w])

Signed(w, lots) == Sign(permit_quantity[w]) * lots
CostAfter(w, lots, price) == Add(cost[w], Times(Signed(w, lots), price))

\* What a position that reaches 0 books.
\* KRN-LEDG-005, KRN-LEDG-006
FillProfit(w, lots, price) ==
    IF quantity[w] + Signed(w, lots) = 0 THEN Neg(CostAfter(w, lots, price)) ELSE Zero

\* KRN-LEDG-002, KRN-LEDG-003, KRN-LEDG-004
Fill(w, lots, price) ==
    /\ \E after \in {quantity[w] + Signed(w, lots)}, rest \in {permit_quantity[w] - Signed(w, lots)} :
        /\ quantity' = [quantity EXCEPT ![w] = after]
        /\ cost' = [cost EXCEPT ![w] = IF after = 0 THEN Zero ELSE CostAfter(w, lots, price)]
        /\ permit_quantity' = [permit_quantity EXCEPT ![w] = rest]
        /\ permit_kind' = IF rest = 0 THEN [permit_kind EXCEPT ![w] = NONE] ELSE permit_kind
        /\ permit_price' = IF rest = 0 THEN [permit_price EXCEPT ![w] = Zero] ELSE permit_price
        /\ reserved_notional' = IF permit_kind[w] = ENTRY
                                THEN Sub(reserved_notional, Times(lots, permit_price[w])) ELSE reserved_notional
        /\ open_notional' = Add(Sub(open_notional, OpenOf(w)), Times(Abs(after), mark[w]))
    /\ UNCHANGED <<fence, instrument, mark>>

-----------------------------------------------------------------------------
(* Promises.                                                               *)

\* KRN-LEDG-005
FlatPositionHasNoCost == \A w \in Workers : quantity[w] = 0 => cost[w] = Zero
\* KRN-GATE-026
OpenIsSumOfPositions == open_notional = SumOver([w \in Workers |-> OpenOf(w)], Workers)
\* KRN-GATE-025
ReservedIsSumOfPermits == reserved_notional = SumOver([w \in Workers |-> ReservedOf(w)], Workers)
\* KRN-GATE-036
OneWorkerPerInstrument == \A v, w \in Workers : v # w /\ instrument[v] # 0 => instrument[v] # instrument[w]
\* KRN-GATE-029
PositionNeedsClaim ==
    \A w \in Workers : quantity[w] # 0 \/ permit_kind[w] # NONE => instrument[w] # 0 /\ mark[w] # Zero
\* KRN-GATE-027
NoPermitFlips ==
    \A w \in Workers : permit_kind[w] \in {EXIT, FLATTEN} =>
        Sign(permit_quantity[w]) = -Sign(quantity[w]) /\ Abs(permit_quantity[w]) <= Abs(quantity[w])
\* KRN-GATE-028
EntryNeverOpposesPosition ==
    \A w \in Workers : permit_kind[w] = ENTRY => quantity[w] = 0 \/ Sign(quantity[w]) = Sign(permit_quantity[w])
\* KRN-GATE-030
PermitSlotIsConsistent ==
    \A w \in Workers : /\ permit_kind[w] = NONE <=> permit_quantity[w] = 0
                       /\ permit_kind[w] = NONE <=> permit_price[w] = Zero
\* KRN-FENCE-013
FlattenOnlyInHibernate == \A w \in Workers : permit_kind[w] = FLATTEN => posture = 0
\* KRN-FENCE-011
HibernateFlattens ==
    posture = 0 /\ fence_confirmed => \A w \in Workers : quantity[w] # 0 => permit_kind[w] = FLATTEN
\* KRN-FENCE-011
NoWorkerPermitInHibernate ==
    posture = 0 /\ fence_confirmed => \A w \in Workers : permit_kind[w] \notin {ENTRY, EXIT}
\* KRN-FENCE-012
NoEntryBelowStalker == posture < 2 /\ fence_confirmed => \A w \in Workers : permit_kind[w] # ENTRY

\* An epoch that ends is followed by the next, and only that takes a confirmation away.
\* KRN-FENCE-010
EpochOnlyAdvances == [][
    /\ fence_epoch' # fence_epoch => fence_epoch' = NextEpoch(fence_epoch) /\ ~fence_confirmed'
    /\ fence_confirmed /\ ~fence_confirmed' => fence_epoch' # fence_epoch]_gate

Issues(w, kinds) == permit_kind'[w] \in kinds /\ permit_kind[w] # permit_kind'[w]

\* A flatten is sized only when nothing older can still fill.
\* KRN-FENCE-009
FlattenWaitsForFence == [][
    (\E w \in Workers : Issues(w, {FLATTEN})) =>
        fence_confirmed' /\ \A w \in Workers : permit_kind'[w] \notin {ENTRY, EXIT}]_gate

\* So do workers' permits.
\* KRN-GATE-002
PermitWaitsForFence == [][(\E w \in Workers : Issues(w, {ENTRY, EXIT})) => fence_confirmed]_gate
=============================================================================
