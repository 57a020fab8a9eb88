------------------------------ MODULE Posture -------------------------------
(***************************************************************************)
(* The posture machine: what R calls for, and how fast it is believed.     *)
(*                                                                         *)
(* Theory.  A Schmitt gate per posture: to stay, R must not fall below     *)
(* Drop; to climb, it must reach Rise.  Bible: the two are equal and time  *)
(* filters (DOWN_AFTER 2 bars, UP_AFTER 5).  Specification: the gap        *)
(* filters and one bar suffices.  A demotion goes straight to the posture  *)
(* called for, a promotion climbs one.  HIBERNATE is left only when flat   *)
(* behind a confirmed fence, and bars count only then.                     *)
(*                                                                         *)
(* Rules of the file.  `multiplier_ppm` is read, never assigned: CountBar  *)
(* reads multiplier_ppm', so a caller assigns it BEFORE.  `ready` is the   *)
(* gate's word: flat and fence confirmed.                                  *)
(*                                                                         *)
(*   0 HIBERNATE   1 TURTLE   2 STALKER   3 APEX                           *)
(*                                                                         *)
(* Not here: the fence that a demotion advances (Kernel, CloseBar).        *)
(* Sources: bible 11.5, 11.6, 19.3; specification VI.2, VI.3.              *)
(* Code: kernel/posture.py.                                                *)
(***************************************************************************)
EXTENDS Fixed

CONSTANTS
    profile,
    DOWN_AFTER, UP_AFTER    \* bible 2 and 5, specification 1 and 1

VARIABLES
    posture, bars_below, bars_above,
    multiplier_ppm          \* read only

machine == <<posture, bars_below, bars_above>>

HIBERNATE == 0
TURTLE == 1
STALKER == 2
APEX == 3

TypeOK ==
    /\ posture \in 0..3
    /\ bars_below \in 0..DOWN_AFTER
    /\ bars_above \in 0..UP_AFTER

Init == posture = HIBERNATE /\ bars_below = 0 /\ bars_above = 0

-----------------------------------------------------------------------------
\* KRN-POST-001
BibleGate(q) == CASE q = 3 -> Ceil(90, 100) [] q = 2 -> Ceil(75, 100) [] q = 1 -> Ceil(50, 100) [] OTHER -> 0
DropGate(q) == CASE q = 3 -> Ceil(85, 100) [] q = 2 -> Ceil(70, 100) [] q = 1 -> Ceil(45, 100) [] OTHER -> 0
RiseGate(q) == CASE q = 3 -> Ceil(92, 100) [] q = 2 -> Ceil(77, 100) [] q = 1 -> Ceil(52, 100) [] OTHER -> 0

\* The R that posture q needs where p is the committed one.
\* KRN-POST-002
Needs(q, p) == IF profile = "bible" THEN BibleGate(q)
               ELSE IF q <= p THEN DropGate(q) ELSE RiseGate(q)

Called(p, r) ==
    IF r >= Needs(3, p) THEN 3
    ELSE IF r >= Needs(2, p) THEN 2
    ELSE IF r >= Needs(1, p) THEN 1 ELSE 0

\* What an entry is judged by, now.
\* KRN-POST-015
Effective == Min(posture, Called(posture, multiplier_ppm))

-----------------------------------------------------------------------------
\* KRN-POST-011
Stay == posture' = posture /\ bars_below' = 0 /\ bars_above' = 0

\* KRN-POST-004, KRN-POST-006, KRN-POST-007, KRN-POST-012, KRN-POST-016
Below(call) ==
    IF bars_below + 1 < DOWN_AFTER
    THEN posture' = posture /\ bars_below' = bars_below + 1 /\ bars_above' = 0
    ELSE posture' = call /\ bars_below' = 0 /\ bars_above' = 0

\* KRN-POST-005, KRN-POST-006, KRN-POST-009, KRN-POST-012, KRN-POST-016
Above(call) ==
    IF bars_above + 1 < UP_AFTER
    THEN posture' = posture /\ bars_above' = bars_above + 1 /\ bars_below' = 0
    ELSE posture' = posture + 1 /\ bars_above' = 0 /\ bars_below' = 0

\* KRN-POST-013
CountBar(ready) ==
    LET Count(call) ==
            IF call < posture THEN Below(call)
            ELSE IF call > posture /\ ~(posture = HIBERNATE /\ ~ready)
                 THEN Above(call)
                 ELSE Stay
    IN  Count(Called(posture, multiplier_ppm'))

\* A trip, or a restart.
\* KRN-KILL-011, KRN-RST-001
Hibernate == posture' = HIBERNATE /\ bars_below' = 0 /\ bars_above' = 0

-----------------------------------------------------------------------------
(* Promises.                                                               *)

\* KRN-POST-016
CountersWithinHysteresis ==
    /\ bars_below \in 0..(DOWN_AFTER - 1)
    /\ bars_above \in 0..(UP_AFTER - 1)
    /\ bars_below = 0 \/ bars_above = 0

\* KRN-POST-009
PromotionClimbsOne == [][posture' > posture => posture' = posture + 1]_machine

\* A posture changes only after the bars that its direction asks for, and only to where R calls.
\* KRN-POST-014
ChangesAreCounted == [][
    /\ posture' > posture => bars_above + 1 >= UP_AFTER /\ posture' <= Called(posture, multiplier_ppm')
    /\ posture' < posture => \/ posture' = HIBERNATE /\ multiplier_ppm' = 0
                             \/ bars_below + 1 >= DOWN_AFTER /\ posture' = Called(posture, multiplier_ppm')]_machine
=============================================================================
