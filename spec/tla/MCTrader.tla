------------------------------ MODULE MCTrader ------------------------------
(***************************************************************************)
(* Trader alone: two workers, long and short, cash one of two amounts.     *)
(* What Trader leaves free (cash in a fill, `killed` in a restart,         *)
(* `within` always) takes every value here.                                *)
(*                                                                         *)
(* The promises are a trader's.  Kernel refines Trader, so they are the    *)
(* kernel's as well, for any number of lots and prices it refines it for.  *)
(***************************************************************************)
EXTENDS Trader

MCLots == {-1, 1, 2}

MCInit ==
    /\ killed \in BOOLEAN /\ posture \in 0..3 /\ fenced \in BOOLEAN /\ within \in BOOLEAN
    /\ position = [w \in Workers |-> 0] /\ order = [w \in Workers |-> 0] /\ cash = 0
    /\ Init

\* One disjunct per action, so coverage shows each.
Free == within' \in BOOLEAN
DoKill == Free /\ killed' = TRUE /\ Kill
DoCalmDown == Free /\ killed' = FALSE /\ CalmDown
DoDrop == Free /\ fenced' = FALSE /\ Drop
DoClimbOne == Free /\ ClimbOne
DoRestart == Free /\ killed' \in BOOLEAN /\ fenced' = FALSE /\ Restart
DoMarket == Free /\ Market
DoFence == Free /\ fenced' = TRUE /\ Fence
DoEnter(w) == Free /\ Enter(w)
DoExit(w) == Free /\ Exit(w)
DoEnd(w) == Free /\ End(w)
DoFill(w) == Free /\ cash' \in {0, 1} /\ Fill(w)

MCNext ==
    \/ DoKill
    \/ DoCalmDown
    \/ DoDrop
    \/ DoClimbOne
    \/ DoRestart
    \/ DoMarket
    \/ DoFence
    \/ \E w \in Workers : DoEnter(w)
    \/ \E w \in Workers : DoExit(w)
    \/ \E w \in Workers : DoEnd(w)
    \/ \E w \in Workers : DoFill(w)

MCSpec == MCInit /\ [][MCNext]_vars

-----------------------------------------------------------------------------
\* A kill stops everybody, at once.
KilledSleeps == killed => posture = 0
\* Asleep behind the fence, every order closes a position and every position is being closed.
AsleepOnlyCloses == posture = 0 /\ fenced => \A w \in Workers : order[w] = -position[w]
\* An order against a position is at most the position: no fill turns long into short.
NoOrderFlips == \A w \in Workers : Side(order[w]) = -Side(position[w]) => Size(order[w]) <= Size(position[w])

\* Exposure is taken only awake, within the ceiling, and while nothing older can still fill.
Takes(w) == order[w] = 0 /\ order'[w] # 0 /\ position[w] = 0
EntriesAreAwakeAndWithin == [][\A w \in Workers : Takes(w) => ~killed /\ posture >= 2 /\ fenced /\ within']_vars
\* Trading resumes only flat: nobody wakes up with a position he did not choose.
WakesFlat == [][posture = 0 /\ posture' > 0 => Flat /\ ~killed]_vars
\* Money moves only where an order fills.
CashMovesOnlyByFills == [][cash' # cash => position' # position /\ order' # order]_vars
=============================================================================
