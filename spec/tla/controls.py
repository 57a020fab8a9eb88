"""Writes the negative controls (every ``Bad*.cfg`` is its good twin with ``Off`` set), and README's counts.

Rules of this file:

*   One row per control: the guards switched off, the good configuration, the one violation that
    must be found, and why. Two guards are off only where one alone hides behind the other; the row
    says how.
*   A control checks the named property alone, so no other can supply the violation.
*   README's table of state counts is drawn from manifest.json, never typed.
*   The files are committed; ``python spec/tla/controls.py`` writes them anew, ``--check`` compares.

Not here: running them (``dolphin check``), the models (``MC*.tla``).
"""

# ruff: noqa: E501  (one control, one line: the list is read as a table)

import json
import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent

# fmt: off
CONTROLS: tuple[tuple[str, str, tuple[str, ...], str, str], ...] = (
    # name, good twin, off, violated, why
    ("KillSwitchTimeForward", "MCKillSwitch", ("process_time_forward",), "TypeOK", "time that runs backwards makes ages negative"),
    ("KillSwitchMembersRange", "MCKillSwitch", ("members_range",), "TypeOK", "a grid of -1 members is believed"),
    ("KillSwitchPartitionRange", "MCKillSwitch", ("partition_range",), "NobodyIsMalformed", "a heartbeat of a partition that is not there is accepted"),
    ("KillSwitchCauseRange", "MCKillSwitch", ("cause_range",), "NobodyIsMalformed", "a trip without a cause is accepted"),
    ("KillSwitchLateHeartbeat", "MCKillSwitch", ("late_heartbeat_kills",), "KilledIffCause", "a late heartbeat does not kill"),
    ("KillSwitchHeartbeatRevives", "MCKillSwitch", ("heartbeat_revives",), "KilledIffCause", "a heartbeat that comes back leaves killed set"),
    ("KillSwitchEmptyGrid", "MCKillSwitch", ("empty_grid_kills",), "KilledIffCause", "an empty grid does not kill"),
    ("KillSwitchLatch", "MCKillSwitch", ("latch_kills",), "KilledIffCause", "an operator's trip latches but does not kill"),
    ("KillSwitchDesync", "MCKillSwitch", ("desync_kills",), "KilledIffCause", "a desync latches but does not kill"),
    ("KillSwitchRearmSettles", "MCKillSwitch", ("rearm_revives",), "KilledIffCause", "a re-arm clears the latches and leaves killed set"),
    ("KillSwitchRestartSettles", "MCKillSwitch", ("restart_settles",), "KilledIffCause", "a restart resets heartbeats and leaves killed as it was"),
    ("KillSwitchJournalFailure", "MCKillSwitch", ("journal_failure_latches",), "JournalDownMeansKilled", "a journal that cannot be written does not latch"),
    ("KillSwitchRearmLatched", "MCKillSwitch", ("rearm_latched",), "RearmRequestMeansLatched", "a re-arm is asked for with nothing latched"),
    ("KillSwitchRearmRequest", "MCKillSwitch", ("confirm_request",), "RearmIsTwoStep", "a confirmation without a request clears latches"),
    ("KillSwitchRearmCooling", "MCKillSwitch", ("confirm_cooling",), "RearmIsTwoStep", "a confirmation before the cooling time clears latches"),
    ("KillSwitchRearmWindow", "MCKillSwitch", ("confirm_window",), "RearmIsTwoStep", "a confirmation after its window clears latches"),
    ("KillSwitchRearmJournal", "MCKillSwitch", ("confirm_journal",), "JournalDownMeansKilled", "a re-arm passes while nothing can be journalled"),
    ("KillSwitchPeakTwoStep", "MCKillSwitch", ("confirm_request",), "PeakResetIsTwoStep", "a confirmation without a request resets the peak"),
    ("KillSwitchPeakRequestFlat", "MCKillSwitch", ("peak_request_flat",), "PeakResetOnlyFlat", "a peak reset is asked for with a position open"),
    ("KillSwitchPeakConfirmFlat", "MCKillSwitch", ("peak_confirm_flat",), "PeakResetOnlyFlat", "a position opened since the request does not stop the reset"),
    ("KillSwitchRefusal", "MCKillSwitch", ("refusals_unchanged",), "RefusalsChangeNothing", "a refusal changes the grid"),

    ("SurvivalTimeForward", "MCSurvival", ("market_time_forward", "bar_length"), "TypeOK", "a bar of negative length is closed; off together, since a negative bar is also too short"),
    ("SurvivalBarLength", "MCSurvival", ("bar_length",), "SlowRecovery", "bars that are too short earn trust"),
    ("SurvivalMarketAhead", "MCSurvival", ("market_behind_process",), "MarketNeverAhead", "market time outruns process time"),
    ("SurvivalStatusRange", "MCSurvival", ("status_range",), "TypeOK", "a forewarner status that does not exist is believed"),
    ("SurvivalBookRange", "MCSurvival", ("book_range",), "TypeOK", "a book of depth -1 is believed"),
    ("SurvivalKilledZero", "MCSurvival", ("killed_means_zero",), "KilledMeansZero", "a killed kernel earns trust back"),
    ("SurvivalReadingLowers", "MCSurvival", ("reading_lowers",), "MultiplierNeverAboveTarget", "a bad reading waits for the bar"),
    ("SurvivalBarAttacks", "MCSurvival", ("bar_attacks",), "FastAttack", "a bar goes halfway to a lower target"),
    ("SurvivalSlowRecovery", "MCSurvival", ("recovery_is_slow",), "SlowRecovery", "a bar jumps to a higher target"),
    ("SurvivalReadingRaises", "MCSurvival", ("reading_never_raises",), "SlowRecovery", "a good reading raises R between bars"),
    ("SurvivalPenalty", "MCSurvival", ("penalty",), "TwoImpairedSensorsHalve", "two impaired sensors are not halved"),
    ("SurvivalSilentBook", "MCSurvival", ("silent_book_is_bad",), "SilentBookIsBad", "a silent book keeps its last value"),
    ("SurvivalRefusal", "MCSurvival", ("refusals_unchanged",), "RefusalsChangeNothing", "a refusal resets the shock's age"),

    ("PostureCounters", "MCPosture", ("counters_reset",), "CountersWithinHysteresis", "a demotion does not reset its counter"),
    ("PostureClimb", "MCPosture", ("climb_one",), "PromotionClimbsOne", "a promotion climbs straight to what R calls for"),
    ("PostureDown", "MCPosture", ("down_filter",), "ChangesAreCounted", "one bar demotes"),
    ("PostureUp", "MCPosture", ("up_filter",), "ChangesAreCounted", "one bar promotes"),
    ("PostureEffective", "MCPosture", ("effective_is_lower",), "EffectiveIsLowest", "an entry is judged by the committed posture alone"),
    ("PostureGap", "MCPostureSpecification", ("schmitt_gap",), "GapHolds", "the specification's gates have no gap"),

    ("GateEpochCurrent", "MCGate", ("epoch_current",), "StaleConfirmationIsRefused", "a confirmation of another epoch passes"),
    ("GateConfirmOnce", "MCGate", ("confirm_once",), "StaleConfirmationIsRefused", "a second confirmation frees permits of the current epoch"),
    ("GateClaimRange", "MCGateReasons", ("claim_range",), "TypeOK", "an instrument that does not exist is claimed"),
    ("GateClaimPermit", "MCGate", ("claim_permit",), "PositionNeedsClaim", "a claim is given up with a permit out"),
    ("GateClaimPosition", "MCGate", ("claim_position",), "PositionNeedsClaim", "a claim is given up with a position open"),
    ("GateClaimOwner", "MCGate", ("claim_owner",), "OneWorkerPerInstrument", "two workers claim one instrument"),
    ("GateMarkRange", "MCGate", ("mark_range",), "MalformedIsRefused", "a price of 0 is a mark"),
    ("GateMarkClaimed", "MCGate", ("mark_claimed",), "UnclaimedMarkIsRefused", "a mark of an instrument that nobody claims is accepted"),
    ("GateCloseRange", "MCGate", ("close_range",), "MalformedIsRefused", "nobody closes an order"),
    ("GateClosePermit", "MCGate", ("close_permit",), "CloseNeedsPermit", "an order that is not out is closed"),
    ("GateFillRange", "MCGate", ("fill_range",), "MalformedIsRefused", "a fill of 0 lots is believed"),
    ("GateOrderRange", "MCGateReasons", ("order_range",), "PermitSlotIsConsistent", "an order of 0 lots gets a permit"),
    ("GateHibernating", "MCGate", ("hibernating", "order_permit"), "NoWorkerPermitInHibernate", "a worker's exit replaces the flatten; off together, since in HIBERNATE every open position holds a flatten permit"),
    ("GateOrderFence", "MCGate", ("order_fence",), "PermitWaitsForFence", "a permit is issued while the fence is unconfirmed"),
    ("GateOrderClaim", "MCGateReasons", ("order_claim",), "OrdersAreForTheClaim", "an order for another's instrument gets a permit"),
    ("GateOrderPermit", "MCGate", ("order_permit",), "ReservedIsSumOfPermits", "a second permit replaces the first"),
    ("GateOrderMark", "MCGate", ("order_mark",), "PositionNeedsClaim", "an order passes without a mark"),
    ("GateNothingToReduce", "MCGateReasons", ("nothing_to_reduce", "would_flip"), "NoPermitFlips", "an exit passes with no position; off together, since any exit is more than no position"),
    ("GateWouldGrow", "MCGateReasons", ("would_grow",), "NoPermitFlips", "an exit grows its position"),
    ("GateWouldFlip", "MCGateReasons", ("would_flip",), "NoPermitFlips", "an exit flips its position"),
    ("GateEntryFlat", "MCGate", ("entry_flat",), "EntryNeverOpposesPosition", "an entry stands against a position"),
    ("GatePostureEntry", "MCGate", ("posture_entry", "no_ceiling_below_stalker"), "NoEntryBelowStalker", "TURTLE enters; off together, since a ceiling of 0 refuses too"),
    ("GateLimitOnly", "MCGateReasons", ("limit_only",), "StalkerEntriesAreLimit", "STALKER enters at market in the specification's profile"),
    ("GateLeverage", "MCGateReasons", ("leverage",), "LeverageWithinCeiling", "leverage above the ceiling passes"),
    ("GateFraction", "MCGate", ("fraction",), "NotionalWithinFraction", "one position may take more than a fifth"),
    ("GateExposure", "MCGate", ("exposure",), "ExposureWithinCeiling", "what is reserved and open does not count"),
    ("GateConfirmFlattens", "MCGate", ("confirm_flattens",), "HibernateFlattens", "a confirmed fence flattens nothing"),
    ("GateCloseRenews", "MCGate", ("close_renews",), "HibernateFlattens", "a flatten that closes early is not renewed"),
    ("GateFlattenHibernate", "MCGate", ("flatten_in_hibernate",), "FlattenOnlyInHibernate", "a demotion to TURTLE flattens"),
    ("GateConfirmFrees", "MCGate", ("confirm_frees",), "NoWorkerPermitInHibernate", "dead permits stay in their slots"),
    ("GateFilledFrees", "MCGate", ("filled_frees",), "PermitSlotIsConsistent", "a filled permit stays in its slot"),
    ("GateFillWithin", "MCGate", ("fill_within_permit",), "EntryNeverOpposesPosition", "a fill may pass its permit"),
    ("GateEntryReserves", "MCGate", ("entry_reserves",), "ReservedIsSumOfPermits", "an entry reserves nothing"),
    ("GateFillUnreserves", "MCGate", ("fill_unreserves",), "ReservedIsSumOfPermits", "a fill leaves its reservation"),
    ("GateCloseUnreserves", "MCGate", ("close_unreserves",), "ReservedIsSumOfPermits", "a closed order leaves its reservation"),
    ("GateFillOpens", "MCGate", ("fill_opens",), "OpenIsSumOfPositions", "a fill is not counted as open"),
    ("GateMarkMovesOpen", "MCGate", ("mark_moves_open",), "OpenIsSumOfPositions", "a mark does not move what is open"),
    ("GateEpochAdvances", "MCGate", ("epoch_advances",), "EpochOnlyAdvances", "the fence is unconfirmed without a new epoch"),
    ("GateFlattenWaits", "MCGate", ("flatten_waits",), "FlattenWaitsForFence", "the flatten is sent while older permits may fill"),
    ("GateRefusal", "MCGate", ("refusals_unchanged",), "RefusalsChangeNothing", "a refusal takes the fence's confirmation away"),

    ("LedgerDoubleEntry", "MCLedger", ("double_entry",), "AccountsSumToZero", "a fee leaves cash and arrives nowhere"),
    ("LedgerPeakFollows", "MCLedger", ("peak_follows",), "PeakAtLeastEquity", "the peak does not follow equity"),
    ("LedgerPeakHolds", "MCLedger", ("peak_holds",), "PeakFallsOnlyByReset", "the peak falls with equity"),
    ("LedgerDrawdown", "MCLedger", ("drawdown_follows",), "DrawdownIsExact", "the drawdown does not follow"),
    ("ChainAppendOnly", "MCChain", ("append_only",), "ChainIsAppendOnly", "a record is written over the last one"),
    ("ChainCorruption", "MCChain", ("refuse_corruption",), "OpenMeansSound", "a corrupt book opens"),

    ("KernelTripHibernates", "MCKernel", ("trip_hibernates",), "KilledMeansHibernate", "a kill leaves the posture"),
    ("KernelTripZeroes", "MCKernel", ("trip_zeroes",), "KilledMeansHibernate", "a kill leaves the multiplier"),
    ("KernelTripFence", "MCKernel", ("trip_advances_fence",), "DemotionAdvancesFence", "a kill leaves older permits alive"),
    ("KernelDemotionFence", "MCKernel", ("demotion_advances_fence",), "DemotionAdvancesFence", "a demotion leaves older permits alive"),
    ("KernelDemotionEntry", "MCKernel", ("demotion_advances_fence",), "NoEntryBelowStalker", "an entry outlives the demotion that forbids it"),
    ("KernelJournal", "MCKernelOperator", ("journal_failure_latches",), "JournalDownMeansHibernate", "the kernel trades on without a journal"),
    ("KernelLeaveHibernate", "MCKernel", ("hibernate_until_ready",), "LeaveHibernateOnlyFlat", "HIBERNATE is left with a position"),
    ("KernelMarksCash", "MCKernel", ("marks_leave_cash",), "MarksNeverMoveCash", "a mark is booked as profit"),
    ("KernelUnrealised", "MCKernel", ("unrealised_follows",), "UnrealisedIsSumOfSlots", "a mark does not move unrealised profit"),
    ("KernelFlatCost", "MCKernel", ("flat_clears_cost",), "FlatPositionHasNoCost", "a flat position keeps a cost"),
    ("KernelPeakFlat", "MCKernel", ("peak_confirm_flat",), "PeakResetOnlyFlat", "a peak is reset over an open position"),
    ("KernelViewRange", "MCKernelOperator", ("view_range",), "ImpossibleViewIsRefused", "a view of cash that cannot be is compared"),
    ("RefineTrip", "MCKernel", ("trip_hibernates",), "RefinesTrader", "a kill leaves the posture: no step of a trader's"),
    ("RefineDemotion", "MCKernel", ("demotion_advances_fence",), "RefinesTrader", "a drop leaves older orders alive"),
    ("RefineWake", "MCKernel", ("hibernate_until_ready",), "RefinesTrader", "the kernel wakes up with a position"),
    ("RefineCash", "MCKernel", ("marks_leave_cash",), "RefinesTrader", "a mark moves cash"),
    ("RefineConfirm", "MCKernel", ("confirm_flattens",), "RefinesTrader", "a confirmed fence closes nothing"),
    ("RefineEntry", "MCKernelClaims", ("posture_entry", "no_ceiling_below_stalker"), "RefinesTrader", "TURTLE enters; off together, since a ceiling of 0 refuses too"),
    ("TraderKill", "MCTrader", ("kill_sleeps",), "KilledSleeps", "a kill that leaves the posture"),
    ("TraderWake", "MCTrader", ("wakes_flat",), "WakesFlat", "a climb out of HIBERNATE with a position"),
    ("TraderFence", "MCTrader", ("fence_closes",), "AsleepOnlyCloses", "a fence that is confirmed and closes nothing"),
    ("InductiveJournal", "MCInductive", ("JournalDownMeansLatched",), "JournalDownMeansHibernate", "the hypothesis without its strengthening: the kernel wakes up without a journal"),
    ("InductiveFlatten", "MCInductive", ("FlattenIsWhole",), "HibernateFlattens", "the hypothesis without its strengthening: a flatten of a part fills and leaves a rest"),
    ("InductiveTrip", "MCInductive", ("trip_hibernates",), "KilledMeansHibernate", "a kill leaves the posture"),
    ("InductiveReading", "MCInductive", ("reading_lowers",), "MultiplierNeverAboveTarget", "a reading waits for the bar"),
    ("InductiveUnrealised", "MCInductive", ("unrealised_follows",), "UnrealisedIsSumOfSlots", "a mark does not move unrealised profit"),
    ("InductiveReserved", "MCInductive", ("fill_unreserves",), "ReservedIsSumOfPermits", "a fill leaves its reservation"),
    ("InductiveRearm", "MCInductive", ("confirm_journal",), "JournalDownMeansLatched", "a re-arm passes while nothing can be journalled"),
    ("InductiveDemotion", "MCInductive", ("demotion_advances_fence",), "NoEntryBelowStalker", "an entry outlives the demotion that forbids it"),
    ("InductiveTrader", "MCInductive", ("flatten_waits",), "StepsAreTraders", "a flatten is sent while older orders may fill"),
    ("ReleaseRecordFirst", "MCRelease", ("record_first",), "PermitsAreRecordedFirst", "a permit goes out before its record"),
    ("ReleaseReduceAnyway", "MCRelease", ("reduce_anyway",), "RiskIsReducedWithoutJournal", "a flatten waits for a journal that never comes back"),
    ("LiveKillConfirm", "MCLiveKill", ("confirm_flattens",), "KillLeadsToFlat", "a confirmed fence flattens nothing"),
    ("LiveKillRenew", "MCLiveKill", ("close_renews",), "KillLeadsToFlat", "a flatten that closes early is the last"),
    ("LiveHealthPremise", "MCLiveHealth", ("calm_premise",), "HealthLeadsToApex", "a drawdown stands in the way for ever"),
    ("LiveHealthFlatten", "MCLiveHealth", ("confirm_flattens",), "HealthLeadsToApex", "a position holds the kernel in HIBERNATE"),
    ("KernelReading", "MCKernel", ("reading_lowers",), "MultiplierNeverAboveTarget", "a loss waits for the bar before it lowers R"),
)
# fmt: on


def control(name: str, twin: str, off: tuple[str, ...], violated: str, why: str) -> str:
    """Return the text of ``Bad<name>.cfg``."""
    text = (HERE / f"{twin}.cfg").read_text(encoding="utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("\\*"))
    head, _, checks = re.split(r"^(INVARIANTS)$", body, maxsplit=1, flags=re.M)
    invariants, _, properties = checks.partition("PROPERTIES")
    if violated in invariants.split():
        section = "INVARIANTS"
    elif violated in properties.split():
        section = "PROPERTIES"
    else:
        raise SystemExit(f"{twin}.cfg does not check {violated}, which Bad{name} must violate")
    head = head.replace("    Off = {}", "    Off = {" + ", ".join(f'"{o}"' for o in off) + "}")
    module = twin if (HERE / f"{twin}.tla").is_file() else _module(twin)
    intro = (
        f"\\* module: {module}\n\\* of: {twin}\n\\* expected: {violated}\n"
        + ("\\* mode: liveness\n" if module in ("MCLive", "MCRelease") else "")
        + "\\* Written by controls.py.\n"
        + "".join(f"\\* {line}\n" for line in textwrap.wrap(f"{why[0].upper()}{why[1:]}.", 110))
    )
    return intro + head.strip() + f"\n{section}\n    {violated}\n"


def _module(twin: str) -> str:
    stems = sorted((p.stem for p in HERE.glob("MC*.tla")), key=len, reverse=True)
    return next(stem for stem in stems if twin.startswith(stem))


def counted(text: str) -> str:
    """Return README's text with the table of counts as the manifest pins them."""
    rows = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))["models"]
    lines = ["| model | lane | distinct | generated | depth |", "|---|---|---:|---:|---:|"]
    for row in rows:
        if row["expected"] == "success" and row["mode"] != "assumptions":
            cells = (f"{row[key]:,}" for key in ("distinct", "generated", "diameter"))
            lines.append(f"| `{row['name']}` | {row['lane']} | {' | '.join(cells)} |")
    head, _, rest = text.partition("<!-- counts -->\n")
    _, mark, tail = rest.partition("<!-- end of counts -->")
    return head + "<!-- counts -->\n" + "\n".join(lines) + "\n" + mark + tail


def main() -> int:
    """Write the controls, or with ``--check`` say which differ."""
    stale = []
    readme = HERE / "README.md"
    wanted = {"README.md": counted(readme.read_text(encoding="utf-8"))}
    for row in CONTROLS:
        wanted[f"Bad{row[0]}.cfg"] = control(*row)
    for path in HERE.glob("Bad*.cfg"):
        if path.name not in wanted:
            stale.append(f"{path.name}: not in controls.py")
    for name, text in wanted.items():
        path = HERE / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(f"{name}: differs from what controls.py writes")
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv:
        sys.stdout.write(("\n".join(stale) or "controls agree") + "\n")
        return 1 if stale else 0
    sys.stdout.write(f"{len(CONTROLS)} controls\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
