---------------------------- MODULE TraceLayout ----------------------------
(***************************************************************************)
(* A state of Kernel as text: where each column stands, what reads it.     *)
(*                                                                         *)
(* Generated from the columns of the kernel's state: change nothing here.  *)
(*   python -m traces.audit.layout --write                                 *)
(* writes it anew, and a test holds that it is what is generated.          *)
(*                                                                         *)
(* A state's groups stand one after the other at the start of a chunk      *)
(* (AtStart); a row gives those that changed, each at its Position.        *)
(* Read by TraceKernel. Code: traces/audit/layout.py, rows.py.             *)
(***************************************************************************)
EXTENDS Kernel, Sequences, TLC

(* Numbers from text, in base 32.                                          *)

DIGITS == <<"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I",
            "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V">>
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
(* Groups of the state: the variables, and the same read from text.        *)

AgesGroup == heartbeat_age_ms
AgesAt(r, p) == [q \in Partitions |-> N6(r, p + 6 * q)]
KillGroup == <<grid_members, latched_checksum, latched_desync, latched_operator, journal_writable, killed,
               operator_request, operator_request_age_ms>>
KillAt(r, p) == <<N2(r, p), Bit(r, p + 2), Bit(r, p + 3), Bit(r, p + 4), Bit(r, p + 5), Bit(r, p + 6),
                  N1(r, p + 7), N6(r, p + 8)>>
ReadingGroup == <<forewarner_status, forewarner_age_ms, book_age_ms, shock_age_ms, depth_quality_ppm,
                  fill_probability_ppm, book_latency_ms, book_jitter_ms>>
ReadingAt(r, p) == <<N1(r, p), N6(r, p + 1), N6(r, p + 7), N6(r, p + 13), N4(r, p + 19), N4(r, p + 23),
                     N4(r, p + 27), N4(r, p + 31)>>
MultiplierGroup == <<multiplier_ppm>>
MultiplierAt(r, p) == <<N4(r, p)>>
MachineGroup == <<posture, bars_below, bars_above>>
MachineAt(r, p) == <<N1(r, p), N1(r, p + 1), N1(r, p + 2)>>
FenceGroup == <<fence_epoch, fence_confirmed>>
FenceAt(r, p) == <<N6(r, p), Bit(r, p + 6)>>
SlotGroup(w) == <<instrument[w], mark[w], quantity[w], cost[w], permit_kind[w], permit_quantity[w],
                  permit_price[w]>>
SlotAt(r, p) == <<N4(r, p), M12(r, p + 4), S5(r, p + 16), M12(r, p + 21), N1(r, p + 33), S5(r, p + 34),
                  M12(r, p + 39)>>
TotalGroup == <<reserved_notional, open_notional>>
TotalAt(r, p) == <<M12(r, p), M12(r, p + 12)>>
AccountGroup == <<cash, contributed, realised_pnl, fees>>
AccountAt(r, p) == <<M12(r, p), M12(r, p + 12), M12(r, p + 24), M12(r, p + 36)>>
ResultGroup == <<unrealised_pnl, equity_peak, drawdown_ppm>>
ResultAt(r, p) == <<M12(r, p), M12(r, p + 12), N4(r, p + 24)>>

-----------------------------------------------------------------------------
(* A chunk's start: all groups, one after the other.                       *)

AtStart(s) ==
    /\ heartbeat_age_ms = [q \in Partitions |-> N6(s, 1 + 6 * q)]
    /\ grid_members = N2(s, 25)
    /\ latched_checksum = Bit(s, 27)
    /\ latched_desync = Bit(s, 28)
    /\ latched_operator = Bit(s, 29)
    /\ journal_writable = Bit(s, 30)
    /\ killed = Bit(s, 31)
    /\ operator_request = N1(s, 32)
    /\ operator_request_age_ms = N6(s, 33)
    /\ forewarner_status = N1(s, 39)
    /\ forewarner_age_ms = N6(s, 40)
    /\ book_age_ms = N6(s, 46)
    /\ shock_age_ms = N6(s, 52)
    /\ depth_quality_ppm = N4(s, 58)
    /\ fill_probability_ppm = N4(s, 62)
    /\ book_latency_ms = N4(s, 66)
    /\ book_jitter_ms = N4(s, 70)
    /\ multiplier_ppm = N4(s, 74)
    /\ posture = N1(s, 78)
    /\ bars_below = N1(s, 79)
    /\ bars_above = N1(s, 80)
    /\ fence_epoch = N6(s, 81)
    /\ fence_confirmed = Bit(s, 87)
    /\ instrument = [w \in Workers |-> N4(s, 88 + 51 * w)]
    /\ mark = [w \in Workers |-> M12(s, 92 + 51 * w)]
    /\ quantity = [w \in Workers |-> S5(s, 104 + 51 * w)]
    /\ cost = [w \in Workers |-> M12(s, 109 + 51 * w)]
    /\ permit_kind = [w \in Workers |-> N1(s, 121 + 51 * w)]
    /\ permit_quantity = [w \in Workers |-> S5(s, 122 + 51 * w)]
    /\ permit_price = [w \in Workers |-> M12(s, 127 + 51 * w)]
    /\ reserved_notional = M12(s, 496)
    /\ open_notional = M12(s, 508)
    /\ cash = M12(s, 520)
    /\ contributed = M12(s, 532)
    /\ realised_pnl = M12(s, 544)
    /\ fees = M12(s, 556)
    /\ unrealised_pnl = M12(s, 568)
    /\ equity_peak = M12(s, 580)
    /\ drawdown_ppm = N4(s, 592)

-----------------------------------------------------------------------------
(* A row: offsets of what changed, then parameters, then those groups.     *)

GROUPS == 17
NO_OFFSETS == "0000000000000000000000000000000000"
Position(r, g) == N2(r, 3 + 2 * g)          \* of group g in the row, 0 where unchanged
P == 5 + 2 * GROUPS                         \* of the parameters

AgesClaim(r) == IF Position(r, 1) = 0 THEN AgesGroup ELSE AgesAt(r, Position(r, 1))
KillClaim(r) == IF Position(r, 2) = 0 THEN KillGroup ELSE KillAt(r, Position(r, 2))
ReadingClaim(r) == IF Position(r, 3) = 0 THEN ReadingGroup ELSE ReadingAt(r, Position(r, 3))
MultiplierClaim(r) == IF Position(r, 4) = 0 THEN MultiplierGroup ELSE MultiplierAt(r, Position(r, 4))
MachineClaim(r) == IF Position(r, 5) = 0 THEN MachineGroup ELSE MachineAt(r, Position(r, 5))
FenceClaim(r) == IF Position(r, 6) = 0 THEN FenceGroup ELSE FenceAt(r, Position(r, 6))
SlotClaim(r, w) == IF Position(r, 7 + w) = 0 THEN SlotGroup(w) ELSE SlotAt(r, Position(r, 7 + w))
TotalClaim(r) == IF Position(r, 15) = 0 THEN TotalGroup ELSE TotalAt(r, Position(r, 15))
AccountClaim(r) == IF Position(r, 16) = 0 THEN AccountGroup ELSE AccountAt(r, Position(r, 16))
ResultClaim(r) == IF Position(r, 17) = 0 THEN ResultGroup ELSE ResultAt(r, Position(r, 17))

\* The whole claim of a row is the state after its step.
Agrees(r) ==
    IF SubSeq(r, 5, P - 1) = NO_OFFSETS THEN UNCHANGED vars
    ELSE /\ AgesGroup' = AgesClaim(r)
         /\ KillGroup' = KillClaim(r)
         /\ ReadingGroup' = ReadingClaim(r)
         /\ MultiplierGroup' = MultiplierClaim(r)
         /\ MachineGroup' = MachineClaim(r)
         /\ FenceGroup' = FenceClaim(r)
         /\ IF SubSeq(r, 17, 32) = "0000000000000000"
            THEN UNCHANGED <<instrument, mark, quantity, cost, permit_kind, permit_quantity, permit_price>>
            ELSE \A w \in Workers : SlotGroup(w)' = SlotClaim(r, w)
         /\ TotalGroup' = TotalClaim(r)
         /\ AccountGroup' = AccountClaim(r)
         /\ ResultGroup' = ResultClaim(r)

\* The columns in which the state after the step is another than the claim.
Differing(names, spec, claim) ==
    {<<names[i], ToString(spec[i]), ToString(claim[i])>>
     : i \in {j \in 1..Len(names) : spec[j] # claim[j]}}
Differences(r) ==
    UNION {
        UNION {IF AgesGroup'[q] = AgesClaim(r)[q] THEN {}
               ELSE {<<"heartbeat_age_ms." \o ToString(q), ToString(AgesGroup'[q]),
                       ToString(AgesClaim(r)[q])>>} : q \in Partitions},
        Differing(<<"grid_members", "latched_checksum", "latched_desync", "latched_operator",
                    "journal_writable", "killed", "operator_request", "operator_request_age_ms">>,
                  KillGroup', KillClaim(r)),
        Differing(<<"forewarner_status", "forewarner_age_ms", "book_age_ms", "shock_age_ms",
                    "depth_quality_ppm", "fill_probability_ppm", "book_latency_ms", "book_jitter_ms">>,
                  ReadingGroup', ReadingClaim(r)),
        Differing(<<"multiplier_ppm">>,
                  MultiplierGroup', MultiplierClaim(r)),
        Differing(<<"posture", "bars_below", "bars_above">>,
                  MachineGroup', MachineClaim(r)),
        Differing(<<"fence_epoch", "fence_confirmed">>,
                  FenceGroup', FenceClaim(r)),
        UNION {LET slot == "slots." \o ToString(w) \o "." IN
                 Differing(<<slot \o "instrument", slot \o "mark", slot \o "quantity", slot \o "cost",
                             slot \o "permit_kind", slot \o "permit_quantity", slot \o "permit_price">>,
                           SlotGroup(w)', SlotClaim(r, w)) : w \in Workers},
        Differing(<<"reserved_notional", "open_notional">>,
                  TotalGroup', TotalClaim(r)),
        Differing(<<"cash", "contributed", "realised_pnl", "fees">>,
                  AccountGroup', AccountClaim(r)),
        Differing(<<"unrealised_pnl", "equity_peak", "drawdown_ppm">>,
                  ResultGroup', ResultClaim(r))
    }
=============================================================================
