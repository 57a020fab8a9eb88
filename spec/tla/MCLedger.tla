------------------------------ MODULE MCLedger ------------------------------
(***************************************************************************)
(* Ledger alone, at ONE = 16: profits, fees and unrealised totals move     *)
(* freely within bounds of the model; the peak is reset only when nothing  *)
(* is unrealised.                                                          *)
(***************************************************************************)
EXTENDS Ledger

CONSTANTS Profits, FeeSet, UnrealisedSet, CASH_LOW, CASH_HIGH, FEES_MOST

vars == ledger
MCOpeningCash == Amount(8)
SmallMoves == {-2, 0, 1}
Unrealised == {-9, -1, 0, 2}

ReportFill(profit, fee, unrealised) ==
    /\ ~Less(cash, Amount(CASH_LOW)) /\ ~Less(Amount(CASH_HIGH), cash) /\ Less(fees, Amount(FEES_MOST))
    /\ BookFill(Amount(profit), Amount(fee), Amount(unrealised))
UpdateMark(unrealised) == BookMark(Amount(unrealised))
ConfirmPeakReset == unrealised_pnl = Zero /\ ResetPeak

Next ==
    \/ \E p \in Profits, f \in FeeSet, u \in UnrealisedSet : ReportFill(p, f, u)
    \/ \E u \in UnrealisedSet : UpdateMark(u)
    \/ ConfirmPeakReset

Spec == Init /\ [][Next]_vars

\* The peak falls only by a reset, with nothing unrealised.
PeakFallsOnlyByReset == [][Less(equity_peak', equity_peak) => unrealised_pnl = Zero /\ cash' = cash]_vars
=============================================================================
