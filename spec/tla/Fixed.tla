------------------------------- MODULE Fixed -------------------------------
(***************************************************************************)
(* Fixed-point ratios that fit TLC's 32-bit integers.                      *)
(*                                                                         *)
(* Theory.  A ratio is an integer 0..ONE, ONE = RT * RT.  Written in base  *)
(* RT, a product never passes 2^31: with RT = 1000 (parts per million)     *)
(* Mul(a, b) is exact for 0 <= a <= 10^9 and 0 <= b <= 10^6; a * b alone   *)
(* overflows at 2,148.  With RT = 2 or 4 the same text is what the models  *)
(* are checked with.  MCFixed holds Mul and MulRem against plain integers. *)
(*                                                                         *)
(* Rounding is towards less risk: a factor is rounded down (Floor), a      *)
(* threshold that must be reached is rounded up (Ceil).  At RT = 1000      *)
(* every ratio used in these modules is exact.                             *)
(***************************************************************************)
EXTENDS Integers

CONSTANT RT     \* root of the scale: 1000 in traces, 2 or 4 in models

ONE == RT * RT

Min(a, b) == IF a <= b THEN a ELSE b
Max(a, b) == IF a >= b THEN a ELSE b
Abs(a) == IF a < 0 THEN -a ELSE a
Sign(a) == IF a > 0 THEN 1 ELSE IF a < 0 THEN -1 ELSE 0

\* n/d of ONE; n * ONE must stay below 2^31 (n <= 2147 at RT = 1000).
Floor(n, d) == (n * ONE) \div d
Ceil(n, d) == (n * ONE + d - 1) \div d

\* The middle digit of a * b in base RT, before carrying.
Middle(a, b) == (a \div RT) * (b % RT) + (a % RT) * (b \div RT)

\* The only element of a singleton.  Operators are by name: The({f(x) : x \in {e}})
\* evaluates e once, where f(e) in a primed expression evaluates it at every use.
The(S) == CHOOSE x \in S : TRUE

\* (a * b) \div ONE, for a, b >= 0.
MulDigits(a, b, mid) ==
    (a \div RT) * (b \div RT) + mid \div RT
      + ((mid % RT) * RT + (a % RT) * (b % RT)) \div ONE
\* KRN-SURV-024
Mul(x, y) == The({ MulDigits(a, b, Middle(a, b)) : a \in {x}, b \in {y} })

\* (a * b) % ONE, for a, b >= 0.
MulRem(x, y) == The({ ((Middle(a, b) % RT) * RT + (a % RT) * (b % RT)) % ONE : a \in {x}, b \in {y} })

\* An age after dt more, saturated.
\* KRN-KILL-021, KRN-SURV-033
Aged(age, dt, most) == Min(age + dt, most)
=============================================================================
