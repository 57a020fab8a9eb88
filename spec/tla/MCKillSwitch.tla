---------------------------- MODULE MCKillSwitch ----------------------------
(***************************************************************************)
(* KillSwitch alone: all causes, two partitions, a grid, both two-step     *)
(* actions, the journal.  The gate is two booleans: `flat` moves freely,   *)
(* `peak_resets` flips with each reset of the peak so that a property can  *)
(* see one.  `answer` is the verdict of the last step, hidden by VIEW: it  *)
(* costs no state and lets RefusalsChangeNothing speak of refusals.        *)
(* Every refusal reason is a disjunct of its own, so coverage shows each.  *)
(***************************************************************************)
EXTENDS KillSwitch

CONSTANT Dts                         \* time steps, a negative one among them

VARIABLES flat, peak_resets, answer

vars == <<killswitch, flat, peak_resets>>
View == vars

MCHeartbeatLimit == [p \in Partitions |-> 1]
MCNegativeDts == {-1, 1}
MCManyDts == {-1, 0, 1, 2}
Members == -1..(GRID_MEMBERS_MAX + 1)
Causes == 0..4
PartitionsAndOne == Partitions \cup {99}

MCInit == Init /\ flat = TRUE /\ peak_resets = FALSE /\ answer = "ok"

Accept == answer' = "ok" /\ UNCHANGED <<flat, peak_resets>>
Refuse(reason) ==
    /\ answer' = reason
    /\ UNCHANGED vars

DoAdvanceTime(dt) == AdvanceTime(dt) /\ Accept
DoRecordHeartbeat(p) == RecordHeartbeat(p) /\ Accept
DoReportGrid(m) == ReportGrid(m) /\ Accept
DoTripKillSwitch(c) == TripKillSwitch(c) /\ Accept
DoDesynchronise == Desynchronise /\ Accept
DoFailJournal == FailJournal /\ Accept
DoRestoreJournal == RestoreJournal /\ Accept
DoRequestRearm == RequestRearm /\ Accept
DoConfirmRearm == ConfirmRearm /\ Accept
DoRequestPeakReset == RequestPeakReset(flat) /\ Accept
DoConfirmPeakReset ==
    /\ ConfirmPeakReset(flat)
    /\ peak_resets' = ~peak_resets /\ answer' = "ok" /\ UNCHANGED flat
DoRestartKernel == RestartKernel /\ Accept
PositionMoves == flat' = ~flat /\ answer' = "ok" /\ UNCHANGED <<killswitch, peak_resets>>

RefuseAdvanceTime_TIME_BACKWARDS(dt) == AdvanceTimeVerdict(dt) = "TIME_BACKWARDS" /\ Refuse("TIME_BACKWARDS")
RefuseRecordHeartbeat_MALFORMED(p) == RecordHeartbeatVerdict(p) = "MALFORMED" /\ Refuse("MALFORMED")
RefuseReportGrid_MALFORMED(m) == ReportGridVerdict(m) = "MALFORMED" /\ Refuse("MALFORMED")
RefuseTripKillSwitch_MALFORMED(c) == TripKillSwitchVerdict(c) = "MALFORMED" /\ Refuse("MALFORMED")
RefuseRequestRearm_NOTHING_TO_REARM == RequestRearmVerdict = "NOTHING_TO_REARM" /\ Refuse("NOTHING_TO_REARM")
RefuseConfirmRearm_NO_REQUEST == ConfirmRearmVerdict = "NO_REQUEST" /\ Refuse("NO_REQUEST")
RefuseConfirmRearm_COOLING == ConfirmRearmVerdict = "COOLING" /\ Refuse("COOLING")
RefuseConfirmRearm_REQUEST_EXPIRED == ConfirmRearmVerdict = "REQUEST_EXPIRED" /\ Refuse("REQUEST_EXPIRED")
RefuseConfirmRearm_JOURNAL_DOWN == ConfirmRearmVerdict = "JOURNAL_DOWN" /\ Refuse("JOURNAL_DOWN")
RefuseRequestPeakReset_NOT_FLAT == RequestPeakResetVerdict(flat) = "NOT_FLAT" /\ Refuse("NOT_FLAT")
RefuseConfirmPeakReset_NO_REQUEST == ConfirmPeakResetVerdict(flat) = "NO_REQUEST" /\ Refuse("NO_REQUEST")
RefuseConfirmPeakReset_COOLING == ConfirmPeakResetVerdict(flat) = "COOLING" /\ Refuse("COOLING")
RefuseConfirmPeakReset_REQUEST_EXPIRED == ConfirmPeakResetVerdict(flat) = "REQUEST_EXPIRED" /\ Refuse("REQUEST_EXPIRED")
RefuseConfirmPeakReset_JOURNAL_DOWN == ConfirmPeakResetVerdict(flat) = "JOURNAL_DOWN" /\ Refuse("JOURNAL_DOWN")
RefuseConfirmPeakReset_NOT_FLAT == ConfirmPeakResetVerdict(flat) = "NOT_FLAT" /\ Refuse("NOT_FLAT")

Next ==
    \/ \E dt \in Dts : DoAdvanceTime(dt)
    \/ \E p \in PartitionsAndOne : DoRecordHeartbeat(p)
    \/ \E m \in Members : DoReportGrid(m)
    \/ \E c \in Causes : DoTripKillSwitch(c)
    \/ DoDesynchronise
    \/ DoFailJournal
    \/ DoRestoreJournal
    \/ DoRequestRearm
    \/ DoConfirmRearm
    \/ DoRequestPeakReset
    \/ DoConfirmPeakReset
    \/ DoRestartKernel
    \/ PositionMoves
    \/ \E dt \in Dts : RefuseAdvanceTime_TIME_BACKWARDS(dt)
    \/ \E p \in PartitionsAndOne : RefuseRecordHeartbeat_MALFORMED(p)
    \/ \E m \in Members : RefuseReportGrid_MALFORMED(m)
    \/ \E c \in Causes : RefuseTripKillSwitch_MALFORMED(c)
    \/ RefuseRequestRearm_NOTHING_TO_REARM
    \/ RefuseConfirmRearm_NO_REQUEST
    \/ RefuseConfirmRearm_COOLING
    \/ RefuseConfirmRearm_REQUEST_EXPIRED
    \/ RefuseConfirmRearm_JOURNAL_DOWN
    \/ RefuseRequestPeakReset_NOT_FLAT
    \/ RefuseConfirmPeakReset_NO_REQUEST
    \/ RefuseConfirmPeakReset_COOLING
    \/ RefuseConfirmPeakReset_REQUEST_EXPIRED
    \/ RefuseConfirmPeakReset_JOURNAL_DOWN
    \/ RefuseConfirmPeakReset_NOT_FLAT

Spec == MCInit /\ [][Next]_<<vars, answer>>

-----------------------------------------------------------------------------
\* What names nothing is refused: accepted, it would change nothing, and no later state would show it.
NobodyIsMalformed ==
    /\ killed \in BOOLEAN      \* TLC wants a state in an invariant
    /\ RecordHeartbeatVerdict(99) = "MALFORMED"
    /\ \A cause \in {0, 4} : TripKillSwitchVerdict(cause) = "MALFORMED"

\* Alone, a kernel that cannot write its journal is at least killed; with
\* Kernel's KilledMeansHibernate that is JournalDownMeansHibernate.
JournalDownMeansKilled == ~journal_writable => killed

PeakReset == peak_resets' # peak_resets
PeakResetIsTwoStep == [][PeakReset => Confirmable(2)]_vars
\* Asked and confirmed only when flat.
PeakAsked == operator_request' = 2 /\ (operator_request # 2 \/ operator_request_age_ms' < operator_request_age_ms)
PeakResetOnlyFlat == [][PeakReset \/ PeakAsked => flat]_vars
RefusalsChangeNothing == [][answer' # "ok" => UNCHANGED vars]_<<vars, answer>>
=============================================================================
