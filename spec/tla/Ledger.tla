------------------------------- MODULE Ledger -------------------------------
(***************************************************************************)
(* Double entry, and what is folded from it.                               *)
(*                                                                         *)
(* Theory.  Four accounts sum to zero: cash, contributed (a credit),       *)
(* realised_pnl (profit is a credit) and fees.  Equity is cash and         *)
(* unrealised profit; the peak is the highest equity since the last reset; *)
(* the drawdown is what is missing from it, rounded up, towards risk.      *)
(* Cash moves only by a fill.                                              *)
(*                                                                         *)
(* Rules of the file.  Every amount is Money.  A fill's profit and the new *)
(* unrealised total are parameters: Kernel takes them from the gate.  All  *)
(* that moves equity ends with Settle.                                     *)
(*                                                                         *)
(* Not here: positions (Gate); the book of records and its torn tail       *)
(* (Chain).  Sources: specification I, II; bible 8.3.                      *)
(* Code: kernel/ledger.py, kernel/rearm.py (the peak).                     *)
(***************************************************************************)
EXTENDS Money

CONSTANT OpeningCash        \* Money, > 0

VARIABLES cash, contributed, realised_pnl, fees, unrealised_pnl, equity_peak, drawdown_ppm

accounts == <<cash, contributed, realised_pnl, fees>>
ledger == <<accounts, unrealised_pnl, equity_peak, drawdown_ppm>>

IsMoney(a) == a[2] \in 0..(ONE - 1)
TypeOK ==
    /\ \A a \in {cash, contributed, realised_pnl, fees, unrealised_pnl, equity_peak} : IsMoney(a)
    /\ drawdown_ppm \in 0..ONE

\* KRN-INIT-003
Init ==
    /\ cash = OpeningCash /\ contributed = Neg(OpeningCash)
    /\ realised_pnl = Zero /\ fees = Zero
    /\ unrealised_pnl = Zero /\ equity_peak = OpeningCash /\ drawdown_ppm = 0

-----------------------------------------------------------------------------
Equity == Add(cash, unrealised_pnl)
\* What the gate's bounds are taken of: cash, less any unrealised loss.
\* KRN-GATE-019
Capital == MaxOf(Zero, MinOf(cash, Equity))

\* Peak and drawdown after a step that assigned cash' and unrealised_pnl'.
\* KRN-LEDG-012, KRN-LEDG-014
Settle ==
    \E equity \in {Equity'} :
        /\ equity_peak' = MaxOf(equity_peak, equity)
        /\ drawdown_ppm' = Drawdown(equity_peak', equity)

\* KRN-LEDG-001, KRN-LEDG-007
BookFill(profit, fee, unrealised) ==
    /\ cash' = Sub(Add(cash, profit), fee)
    /\ realised_pnl' = Sub(realised_pnl, profit)
    /\ fees' = Add(fees, fee)
    /\ unrealised_pnl' = unrealised
    /\ UNCHANGED contributed
    /\ Settle

\* KRN-LEDG-008
BookMark(unrealised) ==
    /\ unrealised_pnl' = unrealised
    /\ UNCHANGED accounts
    /\ Settle

\* KRN-LEDG-013, KRN-PEAK-007
ResetPeak ==
    /\ equity_peak' = MaxOf(Equity, Micro)
    /\ drawdown_ppm' = Drawdown(equity_peak', Equity)
    /\ UNCHANGED <<accounts, unrealised_pnl>>

-----------------------------------------------------------------------------
(* Promises.                                                               *)

\* KRN-LEDG-001
AccountsSumToZero == Add(Add(cash, contributed), Add(realised_pnl, fees)) = Zero
PeakAtLeastEquity == Positive(equity_peak) /\ AtMost(Equity, equity_peak)
\* KRN-LEDG-014
DrawdownIsExact == drawdown_ppm = Drawdown(equity_peak, Equity)
=============================================================================
