------------------------------- MODULE Money -------------------------------
(***************************************************************************)
(* Signed money in two limbs.                                              *)
(*                                                                         *)
(* Theory.  An amount of v micro-USDT is <<u, m>> with v = u * ONE + m and *)
(* 0 <= m < ONE: u is the floor of v / ONE, so the form is unique, = is    *)
(* equality of amounts, and the order is the order of the pairs.  At       *)
(* RT = 1000, u is whole USDT and m micro-USDT.                            *)
(*                                                                         *)
(* Domain at RT = 1000.  Amounts: abs below 2^31 units, that is            *)
(* 2,147,483,647 USDT.  Times(n, a): abs(n) <= 10^6 lots and the result in *)
(* that range, so a price per lot of up to 10^5 USDT goes with any order   *)
(* whose notional is below 2^31 USDT (10^5 USDT: 21,474 lots).             *)
(* Drawdown: peak below 10^9 USDT.  Over(a, k): 1 <= k <= 2,000.  Outside, *)
(* TLC stops with an overflow: it never computes something wrong.          *)
(*                                                                         *)
(* Operands are bound once (Fixed, The): nested sums would otherwise be    *)
(* evaluated twice at every level.                                         *)
(*                                                                         *)
(* MCFixed checks every operator against integers at RT = 4.               *)
(***************************************************************************)
EXTENDS Fixed

Zero == <<0, 0>>
Micro == <<0, 1>>                                  \* the least positive amount
Amount(v) == <<v \div ONE, v % ONE>>               \* of an integer, models only
Carry(u, m) == <<u + m \div ONE, m % ONE>>

Add(x, y) == The({ Carry(a[1] + b[1], a[2] + b[2]) : a \in {x}, b \in {y} })
Sub(x, y) == The({ Carry(a[1] - b[1], a[2] - b[2]) : a \in {x}, b \in {y} })
Neg(x) == Sub(Zero, x)

Less(x, y) == \E a \in {x}, b \in {y} : a[1] < b[1] \/ (a[1] = b[1] /\ a[2] < b[2])
AtMost(x, y) == ~Less(y, x)
MinOf(x, y) == The({ IF Less(b, a) THEN b ELSE a : a \in {x}, b \in {y} })
MaxOf(x, y) == The({ IF Less(a, b) THEN b ELSE a : a \in {x}, b \in {y} })
Positive(x) == Less(Zero, x)

\* n lots of a, n signed.
TimesNat(n, a) == <<n * a[1] + Mul(n, a[2]), MulRem(n, a[2])>>
Times(lots, x) ==
    The({ IF n = 0 THEN Zero
          ELSE IF n = 1 THEN a
          ELSE IF n < 0 THEN Neg(TimesNat(-n, a)) ELSE TimesNat(n, a) : n \in {lots}, a \in {x} })

\* x \div k, rounded down.
Over(x, k) == The({ <<a[1] \div k, ((a[1] % k) * ONE + a[2]) \div k>> : a \in {x} })

\* Three limbs of r * a in base ONE, for 0 <= r <= ONE and a >= 0: what the
\* drawdown compares, since peak * ONE does not fit two limbs.
Scaled(r, a) ==
    The({ <<Mul(a[1], r) + mid \div ONE, mid % ONE, MulRem(a[2], r)>>
          : mid \in {MulRem(a[1], r) + Mul(a[2], r)} })

\* Whether r * peak >= ONE * loss.
Covers(r, peak, loss) ==
    \E a \in {Scaled(r, peak)} :
        \/ a[1] > loss[1]
        \/ a[1] = loss[1] /\ a[2] >= loss[2]

\* The least r in lo..hi that covers the loss, by bisection.
RECURSIVE LeastRatio(_, _, _, _)
LeastRatio(lo, hi, peak, loss) ==
    IF lo >= hi THEN lo
    ELSE The({ IF Covers(r, peak, loss)
               THEN LeastRatio(lo, r, peak, loss)
               ELSE LeastRatio(r + 1, hi, peak, loss) : r \in {(lo + hi) \div 2} })

\* What is missing from the peak (> 0), as a ratio of it, rounded up, 0..ONE.
\* KRN-LEDG-014, KRN-LEDG-015
Drawdown(peak, equity) ==
    The({ IF AtMost(p, e) THEN 0
          ELSE IF AtMost(e, Zero) THEN ONE
          ELSE LeastRatio(0, ONE, p, Sub(p, e)) : p \in {peak}, e \in {equity} })
=============================================================================
