------------------------------ MODULE Release -------------------------------
(***************************************************************************)
(* The shell around step: a record first, then its effect; and the one     *)
(* exception.                                                              *)
(*                                                                         *)
(* Theory.  The journal is a write-ahead log: a permit that is released    *)
(* without its record would be an order that no history explains.  But     *)
(* cancelling and flattening reduce risk, and a disk that fails is no      *)
(* reason to keep a position: those two effects are released even when     *)
(* the journal cannot be written.  A permit is then dropped; the kernel is *)
(* told FailJournal, which kills.                                          *)
(*                                                                         *)
(* Not here: what the kernel decides (Kernel; effects are a function of    *)
(* the step).  These actions are the shell's, no events of the kernel.     *)
(* Source: design 3.2.  Code: the kernel's process in dolphin/.            *)
(***************************************************************************)
EXTENDS Fixed

VARIABLES
    journal_writable,
    pending,        \* effect of the last step, "none" when released or dropped
    recorded,       \* its record is on disk
    released        \* the last effect that went out, and whether it was recorded

vars == <<journal_writable, pending, recorded, released>>
Reducing == {"cancel_all_orders", "flatten_positions"}
Effects == Reducing \cup {"issue_permit"}

TypeOK ==
    /\ journal_writable \in BOOLEAN /\ recorded \in BOOLEAN
    /\ pending \in Effects \cup {"none"}
    /\ released \in [effect : Effects \cup {"none"}, recorded : BOOLEAN]

Init ==
    /\ journal_writable = TRUE /\ pending = "none" /\ recorded = FALSE
    /\ released = [effect |-> "none", recorded |-> TRUE]

StepWith(effect) ==
    /\ pending = "none" /\ pending' = effect /\ recorded' = FALSE
    /\ UNCHANGED <<journal_writable, released>>
WriteRecord ==
    /\ pending # "none" /\ ~recorded /\ journal_writable
    /\ recorded' = TRUE /\ UNCHANGED <<journal_writable, pending, released>>
FailJournal == journal_writable /\ journal_writable' = FALSE /\ UNCHANGED <<pending, recorded, released>>
RestoreJournal == ~journal_writable /\ journal_writable' = TRUE /\ UNCHANGED <<pending, recorded, released>>

MayRelease ==
    \/ recorded
    \/ ~journal_writable /\ pending \in Reducing
ReleaseEffect ==
    /\ pending # "none" /\ MayRelease
    /\ released' = [effect |-> pending, recorded |-> recorded]
    /\ pending' = "none" /\ recorded' = FALSE
    /\ UNCHANGED journal_writable
DropPermit ==
    /\ pending = "issue_permit" /\ ~recorded /\ ~journal_writable
    /\ pending' = "none" /\ UNCHANGED <<journal_writable, recorded, released>>

Next ==
    \/ \E effect \in Effects : StepWith(effect)
    \/ WriteRecord
    \/ FailJournal
    \/ RestoreJournal
    \/ ReleaseEffect
    \/ DropPermit

\* The shell does not stop: it writes where it can, and releases what it may.  Nothing is assumed of
\* the journal: it may fail for ever, or come and go.
Spec == Init /\ [][Next]_vars /\ WF_vars(WriteRecord) /\ SF_vars(ReleaseEffect)

-----------------------------------------------------------------------------
\* A permit goes out only after its record; what reduces risk only then or while nothing can be written.
PermitsAreRecordedFirst == released.effect = "issue_permit" => released.recorded
RiskIsReducedWithoutJournal == (pending \in Reducing) ~> (pending = "none")
=============================================================================
