----------------------------- MODULE MCSurvival -----------------------------
(***************************************************************************)
(* Survival alone, at ONE = 16, both profiles (one cfg each).  Around it:  *)
(* drawdown and kill move freely (UpdateMark, Trip, Clear), and `slack_ms` *)
(* is how far market time lies behind process time, so that `ahead` means  *)
(* something.  Each profile varies only the sensors it reads: Statuses,    *)
(* Depths, Latencies and Jitters are sets in the cfg.  `answer` as in      *)
(* MCKillSwitch.                                                           *)
(***************************************************************************)
EXTENDS Survival, Sequences

CONSTANTS Statuses, Depths, Fills, Latencies, Jitters, Drawdowns, MCDts, SLACK_MAX

VARIABLES slack_ms, answer

vars == <<survival, killed, drawdown_ppm, slack_ms>>
View == vars

\* Monotone tables at ONE = 16; the ends are the formulas' (0.9734 at no drawdown, 0.3 at a shock).
Table(values, i) == values[Max(Min(i, Len(values) - 1), 0) + 1]
MCCapitalCurve(dd) == Table(<<16, 14, 10, 4, 0>>, dd)
MCStructuralDecay(s) == Table(<<16, 15, 12, 5>>, s)
MCEnvironmentCurve(s) == Table(<<4, 9, 13, 16>>, s)
MCLatencyCurve(ms) == Table(<<16, 16, 14, 8>>, ms)
MCJitterCurve(ms) == Table(<<16, 12>>, ms)
MCDepthCurve(d) == d
MCGainOver(dt) == IF profile = "bible" THEN 4 * dt ELSE 2 * dt

ASSUME CurvesFall ==
    \A i \in 0..15 : /\ MCCapitalCurve(i + 1) <= MCCapitalCurve(i)
                     /\ MCStructuralDecay(i + 1) <= MCStructuralDecay(i)
                     /\ MCEnvironmentCurve(i + 1) >= MCEnvironmentCurve(i)
                     /\ MCLatencyCurve(i + 1) <= MCLatencyCurve(i)
                     /\ MCJitterCurve(i + 1) <= MCJitterCurve(i)
                     /\ MCDepthCurve(i + 1) >= MCDepthCurve(i)

MCStatuses == -1..3
MCBibleDepths == {-1, 10, 16}
MCSpecificationDepths == {8, 16}
MCSpecificationLatencies == {-1, 0, 2}
MCBarLengths == {-1, 1, 2}

MCInit ==
    /\ Init
    /\ killed = FALSE /\ drawdown_ppm = 0
    /\ slack_ms = SLACK_MAX /\ answer = "ok"

Accept == answer' = "ok"
Refuse(reason) ==
    /\ answer' = reason
    /\ UNCHANGED vars
Still == UNCHANGED <<killed, drawdown_ppm, slack_ms>>

ProcessTimePasses == slack_ms' = SLACK_MAX /\ UNCHANGED <<survival, killed, drawdown_ppm>> /\ Accept
DoCloseBar(dt) ==
    /\ UNCHANGED <<killed, drawdown_ppm>>
    /\ CloseBar(dt, dt > slack_ms)
    /\ slack_ms' = slack_ms - dt
    /\ Accept
DoReportForewarner(status) == Still /\ ReportForewarner(status) /\ Accept
DoReportBook(d, f, l, j) == Still /\ ReportBook(d, f, l, j) /\ Accept
DoReportShock == Still /\ ReportShock /\ Accept
UpdateMark(dd) == UNCHANGED <<killed, slack_ms, sensors>> /\ drawdown_ppm' = dd /\ Lower /\ Accept
Trip ==
    /\ ~killed /\ killed' = TRUE /\ multiplier_ppm' = 0
    /\ UNCHANGED <<sensors, drawdown_ppm, slack_ms>> /\ Accept
Clear == killed /\ killed' = FALSE /\ UNCHANGED <<survival, drawdown_ppm, slack_ms>> /\ Accept

RefuseCloseBar_TIME_BACKWARDS(dt) ==
    CloseBarVerdict(dt, dt > slack_ms) = "TIME_BACKWARDS" /\ Refuse("TIME_BACKWARDS")
RefuseCloseBar_BAR_TOO_SHORT(dt) ==
    CloseBarVerdict(dt, dt > slack_ms) = "BAR_TOO_SHORT" /\ Refuse("BAR_TOO_SHORT")
RefuseCloseBar_MARKET_TIME_AHEAD(dt) ==
    CloseBarVerdict(dt, dt > slack_ms) = "MARKET_TIME_AHEAD" /\ Refuse("MARKET_TIME_AHEAD")
RefuseReportForewarner_MALFORMED(status) ==
    ReportForewarnerVerdict(status) = "MALFORMED" /\ Refuse("MALFORMED")
RefuseReportBook_MALFORMED(d, f, l, j) ==
    ReportBookVerdict(d, f, l, j) = "MALFORMED" /\ Refuse("MALFORMED")

Next ==
    \/ ProcessTimePasses
    \/ \E dt \in MCDts : DoCloseBar(dt)
    \/ \E status \in Statuses : DoReportForewarner(status)
    \/ \E d \in Depths, f \in Fills, l \in Latencies, j \in Jitters : DoReportBook(d, f, l, j)
    \/ DoReportShock
    \/ \E dd \in Drawdowns : UpdateMark(dd)
    \/ Trip
    \/ Clear
    \/ \E dt \in MCDts : RefuseCloseBar_TIME_BACKWARDS(dt)
    \/ \E dt \in MCDts : RefuseCloseBar_BAR_TOO_SHORT(dt)
    \/ \E dt \in MCDts : RefuseCloseBar_MARKET_TIME_AHEAD(dt)
    \/ \E status \in Statuses : RefuseReportForewarner_MALFORMED(status)
    \/ \E d \in Depths, f \in Fills, l \in Latencies, j \in Jitters : RefuseReportBook_MALFORMED(d, f, l, j)

Spec == MCInit /\ [][Next]_<<vars, answer>>

-----------------------------------------------------------------------------
KilledMeansZero == killed => multiplier_ppm = 0
MarketNeverAhead == live => slack_ms >= 0
SlowRecovery == [][RisesByBar(MCDts)]_vars
RefusalsChangeNothing == [][answer' # "ok" => UNCHANGED vars]_<<vars, answer>>
=============================================================================
