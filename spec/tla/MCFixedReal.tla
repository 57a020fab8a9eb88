---------------------------- MODULE MCFixedReal ----------------------------
(* Fixed and Money at the scale of the traces (RT = 1000), at the edges of  *)
(* the domain that Money's header states.  Each right side was computed     *)
(* with unbounded integers.                                                 *)
EXTENDS Money

ASSUME ProductsAtTheEdge ==
    /\ Mul(999999, 999999) = 999998 /\ MulRem(999999, 999999) = 1
    /\ Mul(1000000000, 1000000) = 1000000000
    /\ Mul(999999999, 999999) = 999998999 /\ MulRem(999999999, 999999) = 1
    /\ Mul(5999999, 999999) = 5999993 /\ MulRem(5999999, 999999) = 1
ASSUME NotionalsAtTheEdge ==
    /\ Times(21474, <<100000, 0>>) = <<2147400000, 0>>
    /\ Times(1000000, <<2147, 483646>>) = <<2147483646, 0>>
    /\ Times(-1000000, <<2147, 483646>>) = <<-2147483646, 0>>
    /\ Times(-3, <<60123, 456789>>) = <<-180371, 629633>>
ASSUME DrawdownsAtTheEdge ==
    /\ Drawdown(<<999999999, 999999>>, <<999999999, 999998>>) = 1
    /\ Drawdown(<<999999999, 999999>>, <<0, 1>>) = 1000000
    /\ Drawdown(<<25000, 0>>, <<23830, 0>>) = 46800
    /\ Drawdown(<<25000, 0>>, <<23829, 999999>>) = 46801
ASSUME QuotientsAtTheEdge == Over(<<2000000001, 999998>>, 5) = <<400000000, 399999>>
ASSUME RatiosAreExact ==
    /\ Ceil(92, 100) = 920000 /\ Ceil(1, 2) = 500000 /\ Floor(3, 10) = 300000
    /\ Ceil(77, 100) = 770000 /\ Floor(1, 10) = 100000 /\ Ceil(8, 10) = 800000
=============================================================================
