---------------------------- MODULE MCInductive -----------------------------
(***************************************************************************)
(* Inv is inductive: from EVERY state of a small typed domain that         *)
(* satisfies Inv, reachable or not, every event leads to a state that      *)
(* satisfies it, and every step keeps the step properties and is a step of *)
(* Trader.  Where MCKernel shows what happens from the start, this shows   *)
(* that no start is needed.                                                *)
(*                                                                         *)
(* Theory.  Init is Inv on a domain; one step of MCKernel's Next follows   *)
(* (OneStep keeps TLC from walking on; TLC judges a successor before it    *)
(* asks whether to keep it).  A violation at depth 2 is a counterexample   *)
(* to induction: the invariant is too weak or the step is wrong.           *)
(*                                                                         *)
(* The domain is a product, and the whole product is too large: each cfg   *)
(* lets one module's variables take all their values while the others take *)
(* a few (with both verdicts of whatever the first reads of them).  Five   *)
(* variables are not enumerated but assigned: Inv says what they are       *)
(* (killed, contributed, unrealised_pnl, both notionals, drawdown_ppm), so *)
(* no state of Inv is left out.  Slots are the typed product, filtered.    *)
(*                                                                         *)
(* Not here: the argument for all integers and any number of steps         *)
(* (Nagini, on kernel/).                                                   *)
(***************************************************************************)
EXTENDS MCKernel

CONSTANTS
    BeatAges, LatchSets, Journals, Members, Requests,       \* kill-switch
    Readings,                                               \* sensors, see Reading
    Multipliers, Postures, BelowSet, AboveSet,
    Epochs0, Fenced,                                        \* fence
    SlotMarks, SlotLots, SlotCosts, SlotPrices, SlotKinds,  \* slots
    CashSet, RealisedSet, FeesSet, PeakOver                 \* ledger, integers

(* Strengthenings.  Without the first two, others are not kept (controls); *)
(* the third is there because the kernel's own Inv says it.                *)
JournalDownMeansLatched == ~journal_writable => latched_checksum
FlattenIsWhole == \A w \in Workers : permit_kind[w] = 3 => permit_quantity[w] = -quantity[w]
UnclaimedHasNoMark == \A w \in Workers : instrument[w] = 0 => mark[w] = Zero

(* The invariant: all of Kernel's and those three, by the names of         *)
(* kernel/invariants.py, Inv.                                              *)
Inv ==
    /\ TypeOK
    /\ KilledIffCause
    /\ KilledMeansHibernate
    /\ JournalDownMeansHibernate
    /\ RearmRequestMeansLatched
    /\ MultiplierNeverAboveTarget
    /\ TwoImpairedSensorsHalve
    /\ SilentBookIsBad
    /\ CountersWithinHysteresis
    /\ AccountsSumToZero
    /\ FlatPositionHasNoCost
    /\ PeakAtLeastEquity
    /\ DrawdownIsExact
    /\ UnrealisedIsSumOfSlots
    /\ OpenIsSumOfPositions
    /\ ReservedIsSumOfPermits
    /\ OneWorkerPerInstrument
    /\ PositionNeedsClaim
    /\ NoPermitFlips
    /\ EntryNeverOpposesPosition
    /\ PermitSlotIsConsistent
    /\ FlattenOnlyInHibernate
    /\ HibernateFlattens
    /\ NoWorkerPermitInHibernate
    /\ NoEntryBelowStalker
    /\ JournalDownMeansLatched
    /\ FlattenIsWhole
    /\ UnclaimedHasNoMark

-----------------------------------------------------------------------------
(* Kill-switch.                                                            *)
NoLatch == {<<FALSE, FALSE, FALSE>>}
NoneOrOperator == {<<FALSE, FALSE, FALSE>>, <<FALSE, FALSE, TRUE>>}
NoneOrChecksum == {<<FALSE, FALSE, FALSE>>, <<TRUE, FALSE, FALSE>>}
EveryLatch == BOOLEAN \X BOOLEAN \X BOOLEAN
NoRequest == {<<0, 0>>}
RipeRequests == {<<0, 0>>, <<1, 1>>, <<2, 1>>}
EveryRequest == {<<0, 0>>} \cup {1, 2} \X (0..AGE_MS_MAX)

(* Sensors: <<status, its age, book's age, shock's age, depth, fill, latency, jitter>>. *)
Reading(s, fa, ba, sa, d, f, l, j) == <<s, fa, ba, sa, d, f, l, j>>
Calm == {Reading(0, 0, 0, AGE_MS_MAX, ONE, ONE, 0, 0)}
CalmOrShock == Calm \cup {Reading(0, 0, 0, 0, ONE, ONE, 0, 0)}
Grades == {0, ONE \div 2, ONE}
EveryReading ==
    { Reading(s, fa, ba, sa, d, f, 0, 0) :
        s \in 0..2, fa \in 0..AGE_MS_MAX, ba \in 0..AGE_MS_MAX, sa \in 0..AGE_MS_MAX, d \in Grades, f \in Grades }
EverySpecificationReading ==
    { Reading(0, fa, ba, sa, d, ONE, l, j) :
        fa \in 0..AGE_MS_MAX, ba \in 0..AGE_MS_MAX, sa \in 0..AGE_MS_MAX, d \in Grades,
        l \in {0, LATENCY_MS_MAX}, j \in {0, 1} }

OneLot == -1..1
TwoLots == -2..2
SmallAmounts == -2..4
FewCosts == {-2, 3}

(* A slot: <<instrument, mark, quantity, cost, kind, lots, price>>.        *)
Slot(i, m, q, c, k, pq, pp) == [i |-> i, m |-> m, q |-> q, c |-> c, k |-> k, pq |-> pq, pp |-> pp]
SlotHolds(s) ==
    /\ s.i = 0 => s.m = 0                                                   \* UnclaimedHasNoMark
    /\ s.q # 0 \/ s.k # 0 => s.i # 0 /\ s.m # 0                             \* PositionNeedsClaim
    /\ s.q = 0 => s.c = 0                                                   \* FlatPositionHasNoCost
    /\ (s.k = 0 <=> s.pq = 0) /\ (s.k = 0 <=> s.pp = 0)                     \* PermitSlotIsConsistent
    /\ s.k \in {2, 3} => Sign(s.pq) = -Sign(s.q) /\ Abs(s.pq) <= Abs(s.q)   \* NoPermitFlips
    /\ s.k = 1 => s.q = 0 \/ Sign(s.q) = Sign(s.pq)                         \* EntryNeverOpposesPosition
    /\ s.k = 3 => s.pq = -s.q                                                \* FlattenIsWhole
    /\ Abs(s.q + s.pq) <= QUANTITY_MAX                                      \* TypeOK
AllSlots ==
    { s \in { Slot(i, m, q, c, k, pq, pp) :
                i \in 0..INSTRUMENT_MAX, m \in SlotMarks \cup {0}, q \in SlotLots, c \in SlotCosts \cup {0},
                k \in SlotKinds, pq \in SlotLots, pp \in SlotPrices \cup {0} } : SlotHolds(s) }

-----------------------------------------------------------------------------
DomainOfKillSwitch ==
    /\ heartbeat_age_ms \in [Partitions -> BeatAges]
    /\ grid_members \in Members
    /\ \E l \in LatchSets : latched_checksum = l[1] /\ latched_desync = l[2] /\ latched_operator = l[3]
    /\ journal_writable \in Journals
    /\ JournalDownMeansLatched
    /\ killed = KS!CauseActive
    /\ \E r \in Requests : operator_request = r[1] /\ operator_request_age_ms = r[2]
    /\ RearmRequestMeansLatched

DomainOfSlots ==
    /\ posture \in Postures
    /\ killed => posture = HIBERNATE
    /\ JournalDownMeansHibernate
    /\ fence_epoch \in Epochs0 /\ fence_confirmed \in Fenced
    /\ \E f \in [Workers -> AllSlots] :
        /\ instrument = [w \in Workers |-> f[w].i] /\ mark = [w \in Workers |-> Amount(f[w].m)]
        /\ quantity = [w \in Workers |-> f[w].q] /\ cost = [w \in Workers |-> Amount(f[w].c)]
        /\ permit_kind = [w \in Workers |-> f[w].k] /\ permit_quantity = [w \in Workers |-> f[w].pq]
        /\ permit_price = [w \in Workers |-> Amount(f[w].pp)]
    /\ OneWorkerPerInstrument
    /\ FlattenOnlyInHibernate /\ HibernateFlattens /\ NoWorkerPermitInHibernate /\ NoEntryBelowStalker
    /\ reserved_notional = GT!SumOver([w \in Workers |-> GT!ReservedOf(w)], Workers)
    /\ open_notional = GT!SumOver([w \in Workers |-> GT!OpenOf(w)], Workers)

DomainOfLedger ==
    /\ unrealised_pnl = GT!SumOver([w \in Workers |-> GT!UnrealisedOf(w)], Workers)
    /\ \E c \in CashSet, r \in RealisedSet, f \in FeesSet, over \in PeakOver :
        /\ cash = Amount(c) /\ realised_pnl = Amount(r) /\ fees = Amount(f) /\ contributed = Amount(-(c + r + f))
        /\ equity_peak = Add(Equity, Amount(over))
    /\ Positive(equity_peak)
    /\ drawdown_ppm = Drawdown(equity_peak, Equity)

DomainOfSurvival ==
    /\ \E s \in Readings :
        /\ forewarner_status = s[1] /\ forewarner_age_ms = s[2] /\ book_age_ms = s[3] /\ shock_age_ms = s[4]
        /\ depth_quality_ppm = s[5] /\ fill_probability_ppm = s[6] /\ book_latency_ms = s[7] /\ book_jitter_ms = s[8]
    /\ multiplier_ppm \in Multipliers /\ multiplier_ppm <= Target
    /\ bars_below \in BelowSet /\ bars_above \in AboveSet /\ CountersWithinHysteresis

InductiveInit ==
    /\ DomainOfKillSwitch /\ DomainOfSlots /\ DomainOfLedger /\ DomainOfSurvival
    /\ Inv

\* A fill as the exchange reports it: any lots, any price, permitted or not.
ReportAnyFill(w, lots, price, fee) == ReportFill(w, lots, price, fee)
InductiveNext == Accepting \/ \E w \in Workers, q \in Lots, p \in Marks, f \in FeeAmounts : ReportAnyFill(w, q, p, f)
InductiveSpec == InductiveInit /\ [][InductiveNext]_vars

\* ACTION_CONSTRAINT that nothing meets (TLC refuses a plain FALSE): a successor is judged, by invariants
\* and properties, and then left.
OneStep == posture' < 0

\* Each step, from wherever, is one a trader knows.
StepsAreTraders == [][TR!Next]_(TR!vars)
=============================================================================
