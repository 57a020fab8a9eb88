------------------------------ MODULE MCFixed ------------------------------
(* Fixed and Money against plain integers, at RT = 4 (ONE = 16): every pair *)
(* of a range that crosses both digits and both signs.  No behaviour: TLC   *)
(* checks the ASSUMEs.  MCFixedReal repeats known products at RT = 1000.    *)
EXTENDS Money

Ints == -40..40
Value(a) == a[1] * ONE + a[2]
Roundtrips == \A v \in Ints : Value(Amount(v)) = v /\ Amount(v)[2] \in 0..(ONE - 1)

ASSUME MulIsTheProduct ==
    \A a \in 0..70, b \in 0..ONE : Mul(a, b) = (a * b) \div ONE /\ MulRem(a, b) = (a * b) % ONE
ASSUME SignsAgree == \A a \in Ints :
    /\ Sign(a) \in {-1, 0, 1} /\ Abs(a) >= 0 /\ Sign(a) * Abs(a) = a
    /\ Sign(a) = 0 <=> a = 0
ASSUME ExtremesAgree == \A a, b \in Ints :
    /\ Min(a, b) \in {a, b} /\ Min(a, b) <= a /\ Min(a, b) <= b
    /\ Max(a, b) \in {a, b} /\ Max(a, b) >= a /\ Max(a, b) >= b
ASSUME RoundedBothWays == \A n \in 0..20, d \in 1..20 :
    /\ Floor(n, d) * d <= n * ONE /\ (Floor(n, d) + 1) * d > n * ONE
    /\ Ceil(n, d) * d >= n * ONE /\ (Ceil(n, d) - 1) * d < n * ONE
ASSUME AmountsRoundtrip == Roundtrips
ASSUME SumsAgree == \A a, b \in Ints :
    /\ Add(Amount(a), Amount(b)) = Amount(a + b)
    /\ Sub(Amount(a), Amount(b)) = Amount(a - b)
    /\ Neg(Amount(a)) = Amount(-a)
ASSUME OrderAgrees == \A a, b \in Ints :
    /\ Less(Amount(a), Amount(b)) <=> a < b
    /\ AtMost(Amount(a), Amount(b)) <=> a <= b
    /\ MinOf(Amount(a), Amount(b)) = Amount(Min(a, b))
    /\ MaxOf(Amount(a), Amount(b)) = Amount(Max(a, b))
ASSUME LotsAgree == \A n \in -9..9, a \in Ints : Times(n, Amount(a)) = Amount(n * a)
ASSUME QuotientsAgree == \A k \in 1..6, a \in Ints : Over(Amount(a), k) = Amount(a \div k)
ASSUME DrawdownIsTheCeiling == \A peak \in 1..40, equity \in -5..45 :
    Drawdown(Amount(peak), Amount(equity)) =
        IF equity >= peak THEN 0
        ELSE IF equity <= 0 THEN ONE
        ELSE ((peak - equity) * ONE + peak - 1) \div peak
=============================================================================
