---------------------------- MODULE TraceKernel ----------------------------
(***************************************************************************)
(* A journal as a behaviour: is every record a step that Kernel allows?    *)
(*                                                                         *)
(* Theory.  The journal claims every state whole, so it may be cut into    *)
(* chunks: a start, and rows after it.  Init takes every chunk's start,    *)
(* Next the chunk's next row: the named action must allow it (Do) and its  *)
(* whole result must be the row's (Matches).  A row that is no step has no *)
(* successor and prints why.  TLC's exit code says nothing; a journal is   *)
(* accepted iff the states are exactly chunks + rows, distinct and         *)
(* generated alike, and nothing was printed.                               *)
(*                                                                         *)
(*   journal                       here                                    *)
(*   event                         kind and parameters of a row            *)
(*   outcome, reason               Claimed, held against EVerdict          *)
(*   effects                       Effects: a function of the step         *)
(*   changes, by column            the groups of a row, held against x'    *)
(*   process_time_ms of an event   dt: its difference from the clock       *)
(*   market_time_ms of an event    dt, and ahead: later than process time  *)
(*   operator, reason of an act    fits: their range, all that a guard     *)
(*                                 reads (out of it: MALFORMED)            *)
(*   clock columns                 not here: traces/audit/rows.py checks that    *)
(*                                 they are the event's                    *)
(*   digest, chain, CRC, anchors   not here: traces/replay.py              *)
(*   limits                        CONSTANTS, one run for each             *)
(*                                                                         *)
(* Rows are text in base 32 (traces/audit/rows.py says why and has the same      *)
(* layout): SubSeq takes them apart.  Curves are tables of the inputs that *)
(* occur, made in decimals (traces/audit/curves.py); an input that is missing is *)
(* printed, added, and the run repeated.                                   *)
(*                                                                         *)
(* Generated per run: TraceData (rows, tables, names) and the cfg.         *)
(***************************************************************************)
EXTENDS Kernel, TraceData, Sequences, TLC

VARIABLES chunk, at     \* the chunk, and how many rows of the journal's are behind

-----------------------------------------------------------------------------
(* Numbers from text.                                                      *)

DIGITS == <<"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F",
            "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V">>
DIGIT == [s \in {DIGITS[i] : i \in 1..32} |-> (CHOOSE i \in 1..32 : DIGITS[i] = s) - 1]

N1(r, p) == DIGIT[SubSeq(r, p, p)]
N2(r, p) == N1(r, p) * 32 + N1(r, p + 1)
N4(r, p) == N2(r, p) * 1024 + N2(r, p + 2)
N6(r, p) == N2(r, p) * 1048576 + N4(r, p + 2)
Bit(r, p) == N1(r, p) = 1
S5(r, p) == IF Bit(r, p) THEN -N4(r, p + 1) ELSE N4(r, p + 1)
S8(r, p) == LET n == N1(r, p + 1) * 1073741824 + N6(r, p + 2) IN IF Bit(r, p) THEN -n ELSE n
ZERO12 == "000000000000"
M12(r, p) == IF SubSeq(r, p, p + 11) = ZERO12 THEN Zero ELSE <<S8(r, p), N4(r, p + 8)>>

-----------------------------------------------------------------------------
(* Groups of the state, from text at a position.                           *)

KillGroup == <<grid_members, latched_checksum, latched_desync, latched_operator, journal_writable,
               killed, operator_request, operator_request_age_ms>>
ReadingGroup == <<forewarner_status, forewarner_age_ms, book_age_ms, shock_age_ms, depth_quality_ppm,
                  fill_probability_ppm, book_latency_ms, book_jitter_ms>>
MachineGroup == <<posture, bars_below, bars_above>>
FenceGroup == <<fence_epoch, fence_confirmed>>
SlotGroup(w) == <<instrument[w], mark[w], quantity[w], cost[w], permit_kind[w], permit_quantity[w], permit_price[w]>>
TotalGroup == <<reserved_notional, open_notional>>
AccountGroup == <<cash, contributed, realised_pnl, fees>>
ResultGroup == <<unrealised_pnl, equity_peak, drawdown_ppm>>

AgesAt(r, p) == [q \in Partitions |-> N6(r, p + 6 * q)]
KillAt(r, p) == <<N2(r, p), Bit(r, p + 2), Bit(r, p + 3), Bit(r, p + 4), Bit(r, p + 5), Bit(r, p + 6),
                  N1(r, p + 7), N6(r, p + 8)>>
ReadingAt(r, p) == <<N1(r, p), N6(r, p + 1), N6(r, p + 7), N6(r, p + 13), N4(r, p + 19), N4(r, p + 23),
                     N4(r, p + 27), N4(r, p + 31)>>
MachineAt(r, p) == <<N1(r, p), N1(r, p + 1), N1(r, p + 2)>>
FenceAt(r, p) == <<N6(r, p), Bit(r, p + 6)>>
SlotAt(r, p) == <<N4(r, p), M12(r, p + 4), S5(r, p + 16), M12(r, p + 21), N1(r, p + 33), S5(r, p + 34), M12(r, p + 39)>>
TotalAt(r, p) == <<M12(r, p), M12(r, p + 12)>>
AccountAt(r, p) == <<M12(r, p), M12(r, p + 12), M12(r, p + 24), M12(r, p + 36)>>
ResultAt(r, p) == <<M12(r, p), M12(r, p + 12), N4(r, p + 24)>>

SLOT_BYTES == 51

-----------------------------------------------------------------------------
(* A chunk's start: all groups, one after the other.                       *)

AtStart(s) ==
    /\ heartbeat_age_ms = AgesAt(s, 1)
    /\ grid_members = N2(s, 25) /\ latched_checksum = Bit(s, 27) /\ latched_desync = Bit(s, 28)
    /\ latched_operator = Bit(s, 29) /\ journal_writable = Bit(s, 30) /\ killed = Bit(s, 31)
    /\ operator_request = N1(s, 32) /\ operator_request_age_ms = N6(s, 33)
    /\ forewarner_status = N1(s, 39) /\ forewarner_age_ms = N6(s, 40) /\ book_age_ms = N6(s, 46)
    /\ shock_age_ms = N6(s, 52) /\ depth_quality_ppm = N4(s, 58) /\ fill_probability_ppm = N4(s, 62)
    /\ book_latency_ms = N4(s, 66) /\ book_jitter_ms = N4(s, 70)
    /\ multiplier_ppm = N4(s, 74)
    /\ posture = N1(s, 78) /\ bars_below = N1(s, 79) /\ bars_above = N1(s, 80)
    /\ fence_epoch = N6(s, 81) /\ fence_confirmed = Bit(s, 87)
    /\ instrument = [w \in Workers |-> N4(s, 88 + SLOT_BYTES * w)]
    /\ mark = [w \in Workers |-> M12(s, 92 + SLOT_BYTES * w)]
    /\ quantity = [w \in Workers |-> S5(s, 104 + SLOT_BYTES * w)]
    /\ cost = [w \in Workers |-> M12(s, 109 + SLOT_BYTES * w)]
    /\ permit_kind = [w \in Workers |-> N1(s, 121 + SLOT_BYTES * w)]
    /\ permit_quantity = [w \in Workers |-> S5(s, 122 + SLOT_BYTES * w)]
    /\ permit_price = [w \in Workers |-> M12(s, 127 + SLOT_BYTES * w)]
    /\ reserved_notional = M12(s, 496) /\ open_notional = M12(s, 508)
    /\ cash = M12(s, 520) /\ contributed = M12(s, 532) /\ realised_pnl = M12(s, 544) /\ fees = M12(s, 556)
    /\ unrealised_pnl = M12(s, 568) /\ equity_peak = M12(s, 580) /\ drawdown_ppm = N4(s, 592)

\* The state a journal opens with: the other modules' Init, and a ledger that stands by itself.
Opening ==
    /\ KS!Init /\ SV!Init /\ PM!Init /\ GT!Init
    /\ unrealised_pnl = Zero /\ Positive(cash)
    /\ AccountsSumToZero /\ PeakAtLeastEquity /\ DrawdownIsExact

TraceInit ==
    /\ chunk \in 1..Len(STARTS)
    /\ at = FIRST[chunk]
    /\ AtStart(STARTS[chunk])
    /\ IF OPENS[chunk] /\ ~Opening
       THEN PrintT(ToString(<<"REJECTED", chunk, at, "opening", {}>>)) /\ FALSE
       ELSE TRUE

-----------------------------------------------------------------------------
(* A row's head, parameters and claims.                                    *)

GROUPS == 17
Off17 == SubSeq("0000000000000000000000000000000000", 1, 2 * GROUPS)
Position(r, g) == N2(r, 3 + 2 * g)          \* of group g in the row, 0 where unchanged
P == 5 + 2 * GROUPS                         \* of the parameters

Kind(r) == KINDS[N1(r, 1)]
Claimed(r) == IF N1(r, 2) = 0 THEN "ok" ELSE REASONS[N1(r, 2)]
Fits(r) == Bit(r, 4)

Rejected(r, what, particulars) ==
    PrintT(ToString(<<"REJECTED", chunk, at + 1, what, particulars>>)) /\ FALSE

\* The event's verdict must be the claimed one; then its effect, or nothing at all.
Do(r, verdict, Action) ==
    LET spec == IF Fits(r) THEN verdict ELSE "MALFORMED"
    IN  IF spec # Claimed(r) THEN Rejected(r, "verdict", {<<"verdict", spec, Claimed(r)>>})
        ELSE IF spec = "ok" THEN Action ELSE UNCHANGED vars

Order(r) == [instrument |-> S8(r, P + 8), side |-> S8(r, P + 16), reduce_only |-> Bit(r, P + 24),
             market |-> Bit(r, P + 25), quantity |-> S8(r, P + 26), limit_price |-> M12(r, P + 34),
             leverage_ppm |-> S8(r, P + 46)]
View(r) == [w \in Workers |-> S8(r, P + 12 + 8 * w)]

Operators(r, kind) ==
    IF kind = "TripKillSwitch" THEN Do(r, TripKillSwitchVerdict(S8(r, P)), TripKillSwitch(S8(r, P)))
    ELSE IF kind = "RequestRearm" THEN Do(r, RequestRearmVerdict, RequestRearm)
    ELSE IF kind = "ConfirmRearm" THEN Do(r, ConfirmRearmVerdict, ConfirmRearm)
    ELSE IF kind = "RequestPeakReset" THEN Do(r, RequestPeakResetVerdict, RequestPeakReset)
    ELSE IF kind = "ConfirmPeakReset" THEN Do(r, ConfirmPeakResetVerdict, ConfirmPeakReset)
    ELSE IF kind = "FailJournal" THEN Do(r, "ok", FailJournal)
    ELSE IF kind = "RestoreJournal" THEN Do(r, "ok", RestoreJournal)
    ELSE IF kind = "RestartKernel" THEN Do(r, "ok", RestartKernel)
    ELSE Rejected(r, "kind", {<<"kind", "no action", kind>>})

Execution(r, kind) ==
    IF kind = "ReportFill"
    THEN Do(r, ReportFillVerdict(S8(r, P), S8(r, P + 8), M12(r, P + 16), M12(r, P + 28)),
               ReportFill(S8(r, P), S8(r, P + 8), M12(r, P + 16), M12(r, P + 28)))
    ELSE IF kind = "CloseOrder" THEN Do(r, CloseOrderVerdict(S8(r, P)), CloseOrder(S8(r, P)))
    ELSE IF kind = "ConfirmFence" THEN Do(r, ConfirmFenceVerdict(S8(r, P)), ConfirmFence(S8(r, P)))
    ELSE IF kind = "ReconcileLedger"
    THEN Do(r, ReconcileLedgerVerdict(M12(r, P), View(r)), ReconcileLedger(M12(r, P), View(r)))
    ELSE Operators(r, kind)

Gated(r, kind) ==
    IF kind = "UpdateMark"
    THEN Do(r, UpdateMarkVerdict(S8(r, P), M12(r, P + 8)), UpdateMark(S8(r, P), M12(r, P + 8)))
    ELSE IF kind = "RequestOrder"
    THEN Do(r, RequestOrderVerdict(S8(r, P), Order(r)), RequestOrder(S8(r, P), Order(r)))
    ELSE IF kind = "ClaimInstrument"
    THEN Do(r, ClaimInstrumentVerdict(S8(r, P), S8(r, P + 8)), ClaimInstrument(S8(r, P), S8(r, P + 8)))
    ELSE Execution(r, kind)

Event(r, kind) ==
    IF kind = "AdvanceTime" THEN Do(r, AdvanceTimeVerdict(S8(r, P)), AdvanceTime(S8(r, P)))
    ELSE IF kind = "CloseBar"
    THEN Do(r, CloseBarVerdict(S8(r, P), Bit(r, P + 8)), CloseBar(S8(r, P), Bit(r, P + 8)))
    ELSE IF kind = "RecordHeartbeat" THEN Do(r, RecordHeartbeatVerdict(S8(r, P)), RecordHeartbeat(S8(r, P)))
    ELSE IF kind = "ReportGrid" THEN Do(r, ReportGridVerdict(S8(r, P)), ReportGrid(S8(r, P)))
    ELSE IF kind = "ReportForewarner" THEN Do(r, ReportForewarnerVerdict(S8(r, P)), ReportForewarner(S8(r, P)))
    ELSE IF kind = "ReportBook"
    THEN Do(r, ReportBookVerdict(S8(r, P), S8(r, P + 8), S8(r, P + 16), S8(r, P + 24)),
               ReportBook(S8(r, P), S8(r, P + 8), S8(r, P + 16), S8(r, P + 24)))
    ELSE IF kind = "ReportShock" THEN Do(r, "ok", ReportShock)
    ELSE Gated(r, kind)

-----------------------------------------------------------------------------
(* The claim: every variable, and the effects.                             *)

ClaimOf(r, g, before, after) == IF Position(r, g) = 0 THEN before ELSE after

AgesClaim(r) == ClaimOf(r, 1, heartbeat_age_ms, AgesAt(r, Position(r, 1)))
KillClaim(r) == ClaimOf(r, 2, KillGroup, KillAt(r, Position(r, 2)))
ReadingClaim(r) == ClaimOf(r, 3, ReadingGroup, ReadingAt(r, Position(r, 3)))
MultiplierClaim(r) == ClaimOf(r, 4, multiplier_ppm, N4(r, Position(r, 4)))
MachineClaim(r) == ClaimOf(r, 5, MachineGroup, MachineAt(r, Position(r, 5)))
FenceClaim(r) == ClaimOf(r, 6, FenceGroup, FenceAt(r, Position(r, 6)))
SlotClaim(r, w) == ClaimOf(r, 7 + w, SlotGroup(w), SlotAt(r, Position(r, 7 + w)))
TotalClaim(r) == ClaimOf(r, 15, TotalGroup, TotalAt(r, Position(r, 15)))
AccountClaim(r) == ClaimOf(r, 16, AccountGroup, AccountAt(r, Position(r, 16)))
ResultClaim(r) == ClaimOf(r, 17, ResultGroup, ResultAt(r, Position(r, 17)))

\* One bit per effect, in the order of kernel.outcome.Effects.  A flatten is new where the kind went
\* to 3, and where the order it stood for was closed or is behind a fence now.
One(condition, bit) == IF condition THEN bit ELSE 0
\* KRN-FENCE-002, KRN-FENCE-007, KRN-GATE-023, KRN-STEP-009
Effects(r, kind) ==
    One(fence_epoch' # fence_epoch, 1)
    + One(\E w \in Workers : /\ permit_kind'[w] = 3
                             /\ \/ permit_kind[w] # 3
                                \/ kind = "CloseOrder" /\ w = S8(r, P)
                                \/ kind = "ConfirmFence" /\ fence_confirmed' # fence_confirmed, 2)
    + One(\E w \in Workers : permit_kind'[w] \in {1, 2} /\ permit_kind[w] = 0, 4)

Unchanged == UNCHANGED vars
Agrees(r) ==
    IF SubSeq(r, 5, P - 1) = Off17 THEN Unchanged
    ELSE /\ heartbeat_age_ms' = AgesClaim(r)
         /\ KillGroup' = KillClaim(r)
         /\ ReadingGroup' = ReadingClaim(r)
         /\ multiplier_ppm' = MultiplierClaim(r)
         /\ MachineGroup' = MachineClaim(r)
         /\ FenceGroup' = FenceClaim(r)
         /\ IF SubSeq(r, 17, 32) = "0000000000000000" THEN UNCHANGED <<GT!position, GT!permit>>
            ELSE \A w \in Workers : SlotGroup(w)' = SlotClaim(r, w)
         /\ TotalGroup' = TotalClaim(r)
         /\ AccountGroup' = AccountClaim(r)
         /\ ResultGroup' = ResultClaim(r)

Differing(names, spec, claim) ==
    {<<names[i], ToString(spec[i]), ToString(claim[i])>> : i \in {j \in 1..Len(names) : spec[j] # claim[j]}}

Differences(r) ==
    UNION {
        UNION {IF heartbeat_age_ms'[q] = AgesClaim(r)[q] THEN {}
               ELSE {<<"heartbeat_age_ms." \o ToString(q), ToString(heartbeat_age_ms'[q]), ToString(AgesClaim(r)[q])>>}
               : q \in Partitions},
        Differing(<<"grid_members", "latched_checksum", "latched_desync", "latched_operator", "journal_writable",
                    "killed", "operator_request", "operator_request_age_ms">>, KillGroup', KillClaim(r)),
        Differing(<<"forewarner_status", "forewarner_age_ms", "book_age_ms", "shock_age_ms", "depth_quality_ppm",
                    "fill_probability_ppm", "book_latency_ms", "book_jitter_ms">>, ReadingGroup', ReadingClaim(r)),
        Differing(<<"multiplier_ppm">>, <<multiplier_ppm'>>, <<MultiplierClaim(r)>>),
        Differing(<<"posture", "bars_below", "bars_above">>, MachineGroup', MachineClaim(r)),
        Differing(<<"fence_epoch", "fence_confirmed">>, FenceGroup', FenceClaim(r)),
        UNION {LET slot == "slots." \o ToString(w) \o "."
               IN  Differing(<<slot \o "instrument", slot \o "mark", slot \o "quantity", slot \o "cost",
                               slot \o "permit_kind", slot \o "permit_quantity", slot \o "permit_price">>,
                             SlotGroup(w)', SlotClaim(r, w)) : w \in Workers},
        Differing(<<"reserved_notional", "open_notional">>, TotalGroup', TotalClaim(r)),
        Differing(<<"cash", "contributed", "realised_pnl", "fees">>, AccountGroup', AccountClaim(r)),
        Differing(<<"unrealised_pnl", "equity_peak", "drawdown_ppm">>, ResultGroup', ResultClaim(r))
    }

\* KRN-CONF-002
Matches(r, kind) ==
    /\ IF Agrees(r) THEN TRUE ELSE Rejected(r, "state", Differences(r))
    /\ IF Effects(r, kind) = N1(r, 3) THEN TRUE
       ELSE Rejected(r, "effects", {<<"effects", ToString(Effects(r, kind)), ToString(N1(r, 3))>>})

\* The row is bound, not defined: a prime over an action's parameter would reach into a definition
\* and read at'.
TraceNext ==
    /\ at < LAST[chunk]
    /\ \E r \in {ROWS[at + 1]} : LET kind == Kind(r) IN Event(r, kind) /\ Matches(r, kind)
    /\ chunk' = chunk
    /\ at' = at + 1
    /\ IF (at' - FIRST[chunk]) % 100 = 0 THEN PrintT("HUNDRED") ELSE TRUE      \* progress

-----------------------------------------------------------------------------
(* The CONSTANTS that are the same in every trace.                         *)

\* TLC passes arguments by name, and under a prime evaluates them again at each use: a table that
\* is searched with an unbound argument costs a thousand evaluations of it.  So: The (Fixed).

RECURSIVE Find(_, _, _, _)
Find(table, x, lo, hi) ==
    IF lo > hi THEN 0
    ELSE The({IF table[mid][1] = x THEN mid
              ELSE IF table[mid][1] < x THEN Find(table, x, mid + 1, hi) ELSE Find(table, x, lo, mid - 1)
              : mid \in {(lo + hi) \div 2}})

\* table: <<input, value>>, ascending by input.
Value(name, table, x, place) ==
    IF place > 0 THEN table[place][2]
    ELSE IF PrintT(ToString(<<"CURVE", name, x>>)) THEN 0 ELSE 0
Read(name, table, input) ==
    The({Value(name, table, x, The({Find(table, y, 1, Len(table)) : y \in {x}})) : x \in {input}})

TraceCapital(x) == Read("CapitalCurve", CAPITAL_TABLE, x)
TraceStructural(x) == Read("StructuralDecay", STRUCTURAL_TABLE, x)
TraceEnvironment(x) == Read("EnvironmentCurve", ENVIRONMENT_TABLE, x)
TraceLatency(x) == Read("LatencyCurve", LATENCY_TABLE, x)
TraceJitter(x) == Read("JitterCurve", JITTER_TABLE, x)
TraceDepth(x) == Read("DepthCurve", DEPTH_TABLE, x)

\* Bible 11.4: a third of a ppm for each ms; specification VI.3: a sixth.
TraceGain(dt) == dt \div (IF profile = "bible" THEN 3 ELSE 6)
TraceNextEpoch(e) == e + 1
TraceWorkers == 0..7
TracePartitions == 0..3
=============================================================================
