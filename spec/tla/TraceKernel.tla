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
(*   clock columns                 not here: rows.py checks that they are  *)
(*                                 the event's                             *)
(*   digest, chain, CRC, anchors   not here: traces/replay.py              *)
(*   limits                        CONSTANTS, one run for each             *)
(*                                                                         *)
(* Rows are text in base 32 (rows.py says why): TraceLayout, which is      *)
(* generated, takes them apart.  Curves are tables of the inputs that      *)
(* occur, made in decimals (curves.py); an input that is missing is        *)
(* printed, added, and the run repeated.                                   *)
(*                                                                         *)
(* Generated per run: TraceData (rows, tables, names) and the cfg.         *)
(* Code: traces/audit/.                                                    *)
(***************************************************************************)
EXTENDS TraceLayout, TraceData

VARIABLES chunk, at     \* the chunk, and how many rows of the journal's are behind

-----------------------------------------------------------------------------
(* Where a chunk starts.                                                   *)

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
(* A row's head and parameters.                                            *)

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
(* The claim: every variable (Agrees), and the effects.                    *)

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
