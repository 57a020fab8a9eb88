------------------------------- MODULE Chain --------------------------------
(***************************************************************************)
(* The book of records: append-only, each record with the chain value of   *)
(* the one before, a torn tail cut off, anything else refused.             *)
(*                                                                         *)
(* Theory.  A record is its number and a link that only an untouched       *)
(* predecessor gives (the model's BLAKE2b: equality of histories).  A      *)
(* crash may leave the last record torn: it was never acknowledged, so it  *)
(* is cut off and reported.  A wrong record in the middle is corruption:   *)
(* the book refuses to open, and nothing is cut.                           *)
(*                                                                         *)
(* Not here: bytes and checksums.  These are no events of the kernel: the  *)
(* book is the shell's.  Sources: design 3.5, 3.6.                         *)
(* Code: traces/ (chain, recovery).                                        *)
(***************************************************************************)
EXTENDS Fixed, Sequences

CONSTANTS RECORDS_MAX

VARIABLES
    records,        \* on disk: [value, good], good = it fits its predecessor
    acknowledged,   \* how many the writer has acknowledged
    book            \* "open", "closed", "refused"

vars == <<records, acknowledged, book>>
Values == {0, 1}

TypeOK ==
    /\ Len(records) <= RECORDS_MAX
    /\ \A i \in 1..Len(records) : records[i].value \in Values /\ records[i].good \in BOOLEAN
    /\ acknowledged \in 0..RECORDS_MAX /\ book \in {"open", "closed", "refused"}

Init == records = <<>> /\ acknowledged = 0 /\ book = "open"

Sound == \A i \in 1..Len(records) : records[i].good
TornTail == Len(records) > acknowledged /\ ~records[Len(records)].good
SoundBefore(n) == \A i \in 1..(n - 1) : records[i].good

AppendRecord(value) ==
    /\ book = "open" /\ Len(records) < RECORDS_MAX
    /\ records' = Append(records, [value |-> value, good |-> TRUE])
    /\ acknowledged' = Len(records')
    /\ UNCHANGED book

\* A crash: nothing, or a whole or torn record that nobody acknowledged, is on disk.
Crash == book = "open" /\ book' = "closed" /\ UNCHANGED <<records, acknowledged>>
CrashWriting(value, good) ==
    /\ book = "open" /\ Len(records) < RECORDS_MAX
    /\ records' = Append(records, [value |-> value, good |-> good])
    /\ book' = "closed" /\ UNCHANGED acknowledged

\* The disk, or somebody, changes a record: it no longer fits.
Corrupt(i) ==
    /\ book = "closed" /\ i \in 1..Len(records) /\ records[i].good
    /\ records' = [records EXCEPT ![i].good = FALSE]
    /\ UNCHANGED <<acknowledged, book>>

Open ==
    /\ book = "closed" /\ Sound
    /\ book' = "open" /\ acknowledged' = Len(records) /\ UNCHANGED records
OpenCuttingTornTail ==
    /\ book = "closed" /\ TornTail /\ SoundBefore(Len(records))
    /\ records' = SubSeq(records, 1, Len(records) - 1)
    /\ book' = "open" /\ acknowledged' = Len(records')
RefuseOpen ==
    /\ book = "closed" /\ ~Sound
    /\ ~(TornTail /\ SoundBefore(Len(records)))
    /\ book' = "refused" /\ UNCHANGED <<records, acknowledged>>

Next ==
    \/ \E v \in Values : AppendRecord(v)
    \/ Crash
    \/ \E v \in Values, good \in BOOLEAN : CrashWriting(v, good)
    \/ \E i \in 1..RECORDS_MAX : Corrupt(i)
    \/ Open
    \/ OpenCuttingTornTail
    \/ RefuseOpen

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
OpenMeansSound == book = "open" => Sound /\ acknowledged = Len(records)

\* What was acknowledged stays as it was: records only grow.
ChainIsAppendOnly == [][
    /\ Len(records') >= acknowledged
    /\ \A i \in 1..acknowledged : records'[i].value = records[i].value
    /\ book = "open" => Len(records') > Len(records) \/ records' = records]_vars
=============================================================================
