----------------------------- MODULE KillSwitch -----------------------------
(***************************************************************************)
(* Category 1: the causes that kill, the latches, the two-step re-arm, the *)
(* journal.                                                                *)
(*                                                                         *)
(* Theory.  Integrity causes (checksum, desync, operator) latch until an   *)
(* operator asks and, after a cooling time and within a window, confirms.  *)
(* Liveness causes (a late heartbeat, an empty grid) are functions of ages *)
(* and counts and go when those do.  `killed` is true exactly while some   *)
(* cause is active.                                                        *)
(*                                                                         *)
(* Rules of the file.  XVerdict(params) is "ok" or the reason of refusal,  *)
(* for every event that can be refused; X(params) is the verdict "ok" and  *)
(* the effect on this module's variables.  A refusal leaves everything     *)
(* UNCHANGED.  Time is ages; `dt` is the difference of the event's process *)
(* time from the clock's (traces: capped at AGE_MS_MAX, where ages         *)
(* saturate, so that 32 bits hold it).  `flat` is the gate's word.         *)
(*                                                                         *)
(* Not here: what a kill does to posture, multiplier and fence (Kernel,    *)
(* TripIfRisen).  Sources: bible 11.2, specification VI.1.                 *)
(* Code: kernel/killswitch.py, kernel/rearm.py.                            *)
(***************************************************************************)
EXTENDS Fixed

CONSTANTS
    Partitions,             \* 0..3; models take fewer
    heartbeat_limit_ms,     \* function of the partition
    grid_in_use,            \* BOOLEAN
    cooling_ms,             \* least age of a request that may be confirmed
    confirm_window_ms,      \* greatest
    AGE_MS_MAX,             \* ages saturate
    GRID_MEMBERS_MAX

VARIABLES
    heartbeat_age_ms, grid_members,
    latched_checksum, latched_desync, latched_operator,
    journal_writable, killed,
    operator_request, operator_request_age_ms

latches == <<latched_checksum, latched_desync, latched_operator>>
request == <<operator_request, operator_request_age_ms>>
killswitch == <<heartbeat_age_ms, grid_members, latches, journal_writable, killed, request>>

TypeOK ==
    /\ heartbeat_age_ms \in [Partitions -> 0..AGE_MS_MAX]
    /\ grid_members \in 0..GRID_MEMBERS_MAX
    /\ {latched_checksum, latched_desync, latched_operator, journal_writable, killed} \subseteq BOOLEAN
    /\ operator_request \in 0..2
    /\ operator_request_age_ms \in 0..AGE_MS_MAX
    /\ operator_request = 0 => operator_request_age_ms = 0

Init ==
    /\ heartbeat_age_ms = [p \in Partitions |-> 0]
    /\ grid_members = 0
    /\ latched_checksum = FALSE /\ latched_desync = FALSE /\ latched_operator = FALSE
    /\ journal_writable = TRUE
    /\ killed = grid_in_use
    /\ operator_request = 0 /\ operator_request_age_ms = 0

-----------------------------------------------------------------------------
Latched == latched_checksum \/ latched_desync \/ latched_operator
\* KRN-KILL-001, KRN-KILL-002, KRN-KILL-003
HeartbeatLate == \E p \in Partitions : heartbeat_age_ms[p] > heartbeat_limit_ms[p]
\* KRN-KILL-004, KRN-KILL-005, KRN-KILL-010
CauseActive == Latched \/ HeartbeatLate \/ (grid_in_use /\ grid_members < 1)

\* killed' after a step whose causes are all assigned.
\* KRN-KILL-010, KRN-KILL-018
Settle == killed' = CauseActive'

-----------------------------------------------------------------------------
(* Liveness: time, heartbeats, the grid.                                   *)

\* KRN-TIME-001, KRN-TIME-002
AdvanceTimeVerdict(dt) ==
    IF dt < 0 THEN "TIME_BACKWARDS" ELSE "ok"

\* KRN-KILL-001, KRN-KILL-020, KRN-KILL-021, KRN-TIME-008, KRN-REARM-010
AdvanceTime(dt) ==
    /\ AdvanceTimeVerdict(dt) = "ok"
    /\ heartbeat_age_ms' = [p \in Partitions |-> Aged(heartbeat_age_ms[p], dt, AGE_MS_MAX)]
    /\ operator_request_age_ms' = IF operator_request = 0 THEN 0
                                  ELSE Aged(operator_request_age_ms, dt, AGE_MS_MAX)
    /\ UNCHANGED <<grid_members, latches, journal_writable, operator_request>>
    /\ Settle

\* KRN-RNG-003
RecordHeartbeatVerdict(p) == IF p \notin Partitions THEN "MALFORMED" ELSE "ok"

\* KRN-KILL-018, KRN-KILL-019
RecordHeartbeat(p) ==
    /\ RecordHeartbeatVerdict(p) = "ok"
    /\ heartbeat_age_ms' = [heartbeat_age_ms EXCEPT ![p] = 0]
    /\ UNCHANGED <<grid_members, latches, journal_writable, request>>
    /\ Settle

\* KRN-RNG-004
ReportGridVerdict(members) ==
    IF members \notin 0..GRID_MEMBERS_MAX THEN "MALFORMED" ELSE "ok"

\* KRN-KILL-004, KRN-KILL-022
ReportGrid(members) ==
    /\ ReportGridVerdict(members) = "ok"
    /\ grid_members' = members
    /\ UNCHANGED <<heartbeat_age_ms, latches, journal_writable, request>>
    /\ Settle

-----------------------------------------------------------------------------
(* Integrity: latches.                                                     *)

\* KRN-KILL-014, KRN-KILL-017
Latch(checksum, desync, operator) ==
    /\ latched_checksum' = (latched_checksum \/ checksum)
    /\ latched_desync' = (latched_desync \/ desync)
    /\ latched_operator' = (latched_operator \/ operator)

TripKillSwitchVerdict(cause) == IF cause \notin 1..3 THEN "MALFORMED" ELSE "ok"

\* KRN-KILL-006, KRN-KILL-007, KRN-KILL-008
TripKillSwitch(cause) ==
    /\ TripKillSwitchVerdict(cause) = "ok"
    /\ Latch(cause = 1, cause = 2, cause = 3)
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, journal_writable, request>>
    /\ Settle

\* What ReportFill and ReconcileLedger do when execution and kernel disagree.
Desynchronise ==
    /\ Latch(FALSE, TRUE, FALSE)
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, journal_writable, request>>
    /\ Settle

\* KRN-KILL-009
FailJournal ==
    /\ journal_writable' = FALSE
    /\ Latch(TRUE, FALSE, FALSE)
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, request>>
    /\ Settle

\* KRN-KILL-023
RestoreJournal ==
    /\ journal_writable' = TRUE
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, latches, killed, request>>

-----------------------------------------------------------------------------
(* The operator's two steps.                                               *)

\* KRN-REARM-001, KRN-REARM-011
RequestRearmVerdict == IF ~Latched THEN "NOTHING_TO_REARM" ELSE "ok"

\* KRN-REARM-002, KRN-REARM-009
RequestRearm ==
    /\ RequestRearmVerdict = "ok"
    /\ operator_request' = 1
    /\ operator_request_age_ms' = 0
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, latches, journal_writable, killed>>

\* Both confirmations are judged alike; `wanted` is the request they answer.
\* KRN-REARM-003, KRN-REARM-004, KRN-REARM-005, KRN-REARM-006, KRN-PEAK-003, KRN-PEAK-004,
\* KRN-PEAK-005
ConfirmVerdict(wanted) ==
    IF operator_request # wanted THEN "NO_REQUEST"
    ELSE IF operator_request_age_ms < cooling_ms THEN "COOLING"
    ELSE IF operator_request_age_ms > confirm_window_ms THEN "REQUEST_EXPIRED"
    ELSE IF ~journal_writable THEN "JOURNAL_DOWN"
    ELSE "ok"

ConfirmRearmVerdict == ConfirmVerdict(1)

\* KRN-REARM-007, KRN-REARM-008
ConfirmRearm ==
    /\ ConfirmRearmVerdict = "ok"
    /\ latched_checksum' = FALSE /\ latched_desync' = FALSE /\ latched_operator' = FALSE
    /\ operator_request' = 0 /\ operator_request_age_ms' = 0
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, journal_writable>>
    /\ Settle

\* KRN-PEAK-001
RequestPeakResetVerdict(flat) == IF ~flat THEN "NOT_FLAT" ELSE "ok"

\* KRN-PEAK-002
RequestPeakReset(flat) ==
    /\ RequestPeakResetVerdict(flat) = "ok"
    /\ operator_request' = 2
    /\ operator_request_age_ms' = 0
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, latches, journal_writable, killed>>

\* KRN-PEAK-006
ConfirmPeakResetVerdict(flat) ==
    IF ConfirmVerdict(2) # "ok" THEN ConfirmVerdict(2)
    ELSE IF ~flat THEN "NOT_FLAT" ELSE "ok"

\* KRN-PEAK-007
ConfirmPeakReset(flat) ==
    /\ ConfirmPeakResetVerdict(flat) = "ok"
    /\ operator_request' = 0 /\ operator_request_age_ms' = 0
    /\ UNCHANGED <<heartbeat_age_ms, grid_members, latches, journal_writable, killed>>

-----------------------------------------------------------------------------
\* KRN-RST-002, KRN-RST-005
RestartKernel ==
    /\ heartbeat_age_ms' = [p \in Partitions |-> 0]
    /\ operator_request' = 0 /\ operator_request_age_ms' = 0
    /\ UNCHANGED <<grid_members, latches, journal_writable>>
    /\ Settle

-----------------------------------------------------------------------------
(* Promises.                                                               *)

KilledIffCause == killed <=> CauseActive
RearmRequestMeansLatched == operator_request = 1 => Latched

\* A request that an operator may confirm now.
Confirmable(wanted) ==
    /\ operator_request = wanted
    /\ operator_request_age_ms >= cooling_ms
    /\ operator_request_age_ms <= confirm_window_ms
    /\ journal_writable

LatchesCleared ==
    \/ latched_checksum /\ ~latched_checksum'
    \/ latched_desync /\ ~latched_desync'
    \/ latched_operator /\ ~latched_operator'

\* Latches clear only where an operator asked, waited, and confirmed in time.
\* KRN-KILL-017, KRN-REARM-004, KRN-REARM-005, KRN-REARM-006
RearmIsTwoStep == [][LatchesCleared => Confirmable(1)]_killswitch
=============================================================================
