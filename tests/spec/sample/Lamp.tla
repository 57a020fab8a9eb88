---- MODULE Lamp ----
(* A lamp and a counter: the smallest model on which every gate of `dolphin check` can be shown. *)
EXTENDS Integers, TLC
CONSTANT Max
ASSUME BoundIsPositive == Max > 0
VARIABLES lit, count, slots
vars == <<lit, count, slots>>

Init == lit = FALSE /\ count = 0 /\ slots = [w \in {0, 1} |-> [quantity |-> 0, kind |-> "none"]]

Press ==
    /\ ~lit
    /\ count < Max
    /\ lit' = TRUE
    /\ count' = count + 1
    /\ slots' = [slots EXCEPT ![1].quantity = count']

Release == lit /\ lit' = FALSE /\ UNCHANGED <<count, slots>>

Reset == lit /\ count = Max /\ count' = 0 /\ UNCHANGED <<lit, slots>>

Next == Press \/ Release \/ Reset
Spec == Init /\ [][Next]_vars /\ WF_vars(Press)

CountBounded == count <= Max
CountRisesByOne == [][count' - count \in {0, 1} \/ count' = 0]_count
CountNeverFalls == [][count' >= count]_count
EndsLit == []<>(count = Max)
====
