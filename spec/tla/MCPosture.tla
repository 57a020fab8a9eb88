----------------------------- MODULE MCPosture ------------------------------
(***************************************************************************)
(* Posture alone, at ONE = 16 (gates 15, 12, 8; drops 14, 12, 8; rises 15, *)
(* 13, 9), with the real hysteresis: 2 and 5 bars in bible, 1 and 1 in     *)
(* specification.  The multiplier of each bar is any of Multipliers; the   *)
(* gate is ready or not.  A cell of (posture, event) is a disjunct.        *)
(***************************************************************************)
EXTENDS Posture

CONSTANT Multipliers

vars == <<machine, multiplier_ppm>>
Bars == {0, 7, 8, 9, 11, 12, 13, 14, 15, 16}

MCInit == Init /\ multiplier_ppm = 0

Bar(r, ready) == multiplier_ppm' = r /\ CountBar(ready)
CloseBarInHibernate(r, ready) == posture = HIBERNATE /\ Bar(r, ready)
CloseBarInTurtle(r, ready) == posture = TURTLE /\ Bar(r, ready)
CloseBarInStalker(r, ready) == posture = STALKER /\ Bar(r, ready)
CloseBarInApex(r, ready) == posture = APEX /\ Bar(r, ready)
Trip == multiplier_ppm' = 0 /\ Hibernate
ReadingLowers == multiplier_ppm > 0 /\ multiplier_ppm' = 0 /\ UNCHANGED machine

Next ==
    \/ \E r \in Multipliers, ready \in BOOLEAN : CloseBarInHibernate(r, ready)
    \/ \E r \in Multipliers, ready \in BOOLEAN : CloseBarInTurtle(r, ready)
    \/ \E r \in Multipliers, ready \in BOOLEAN : CloseBarInStalker(r, ready)
    \/ \E r \in Multipliers, ready \in BOOLEAN : CloseBarInApex(r, ready)
    \/ Trip
    \/ ReadingLowers

Spec == MCInit /\ [][Next]_vars

-----------------------------------------------------------------------------
\* Specification: inside the gap the posture stays (0.85 keeps APEX, does not give it).
GapHolds == [][
    profile = "specification" /\ multiplier_ppm' = 14 =>
        /\ posture = APEX => posture' = APEX
        /\ posture = STALKER => posture' = STALKER]_vars
\* Between bars an entry is judged by no more than R calls for.
EffectiveIsLowest == Effective <= posture /\ (multiplier_ppm < Ceil(45, 100) => Effective = HIBERNATE)
=============================================================================
