------------------------------- MODULE Trader -------------------------------
(***************************************************************************)
(* The kernel as a trader knows it: who may be in the market, what stops   *)
(* it, how it comes back.  Kernel refines this (MCKernel, RefinesTrader),  *)
(* so what MCTrader shows of it holds of the kernel too.                   *)
(*                                                                         *)
(*   posture   0 HIBERNATE (no worker trades), 1 TURTLE (exits only),      *)
(*             2 STALKER, 3 APEX                                           *)
(*   fenced    no older order can reach the exchange any more              *)
(*   position  lots held by each worker, signed                            *)
(*   order     lots still to fill of each worker's order, signed, 0 none   *)
(*   within    what is open and reserved is at most capital times ceiling  *)
(*                                                                         *)
(* Not here: sensors, prices, clocks, refusals.  `within` is the one bit   *)
(* left of them: any step may move it, and an entry must end with it true. *)
(***************************************************************************)
EXTENDS Integers
CONSTANTS Workers, Lots     \* Lots: what one order may be for
VARIABLES killed, posture, fenced, position, order, cash, within
vars == <<killed, posture, fenced, position, order, cash, within>>

Size(lots) == IF lots < 0 THEN -lots ELSE lots
Side(lots) == IF lots < 0 THEN -1 ELSE IF lots > 0 THEN 1 ELSE 0
Flat == \A w \in Workers : position[w] = 0 /\ order[w] = 0

Init == Flat /\ (killed => posture = 0)

\* What stops it, and how it comes back.  Orders that are out stay out: they may still fill.
mode == <<killed, posture, fenced>>
book == <<position, order, cash>>
Kill == ~killed /\ killed' /\ posture' = 0 /\ fenced' = (fenced /\ posture = 0) /\ UNCHANGED book
CalmDown == killed /\ ~killed' /\ UNCHANGED <<posture, fenced, book>>
Drop == posture' \in 0..(posture - 1) /\ ~fenced' /\ UNCHANGED <<killed, book>>
ClimbOne ==
    /\ ~killed /\ posture < 3 /\ posture' = posture + 1 /\ UNCHANGED <<killed, fenced, book>>
    /\ posture = 0 => Flat /\ fenced
Restart == posture' = 0 /\ ~fenced' /\ UNCHANGED book
Market == UNCHANGED <<mode, book>>

\* Orders.  In HIBERNATE the kernel closes every position itself, and only behind the fence.
Order(w, lots) == order' = [order EXCEPT ![w] = lots] /\ UNCHANGED <<mode, position, cash>>
MayAsk(w) == posture > 0 /\ fenced /\ order[w] = 0
Enter(w) == MayAsk(w) /\ posture >= 2 /\ position[w] = 0 /\ within' /\ \E lots \in Lots : Order(w, lots)
Exit(w) == MayAsk(w) /\ \E lots \in 1..Size(position[w]) : Order(w, -Side(position[w]) * lots)
Closing(w) == IF posture = 0 THEN -position[w] ELSE 0
End(w) == order[w] # 0 /\ Order(w, IF fenced THEN Closing(w) ELSE 0)
Fence ==
    ~fenced /\ fenced' /\ order' = [w \in Workers |-> Closing(w)] /\ UNCHANGED <<killed, posture, position, cash>>
\* The only step that moves a position or cash.
Fill(w) ==
    \E lots \in 1..Size(order[w]) :
        /\ position' = [position EXCEPT ![w] = @ + Side(order[w]) * lots]
        /\ order' = [order EXCEPT ![w] = @ - Side(order[w]) * lots]
        /\ UNCHANGED mode

Next ==
    \/ Kill \/ CalmDown \/ Drop \/ ClimbOne \/ Restart \/ Market \/ Fence
    \/ \E w \in Workers : Enter(w) \/ Exit(w) \/ End(w) \/ Fill(w)
Spec == Init /\ [][Next]_vars
=============================================================================
