"""The kernel's status: what operators, the driver and the report are shown of its state.

Rules of this file:

*   Everything is computed from the state by the kernel's own functions; nothing is kept beside it.
*   Ratios in ppm, money in micro-USDT, time in ms, names as in docs/KERNEL.md.
"""

from dolphin.link.messages import Slot, Status
from kernel.causes import heartbeat_late
from kernel.constants import PPM
from kernel.equity import equity
from kernel.gate import capital, ceiling
from kernel.posture import effective
from kernel.slots import flat
from kernel.state import State
from kernel.survival import capital_stress, environment, microstructure, structural, target


def causes(state: State) -> list[str]:
    """Return the names of the kill-switch causes that are active."""
    now = state.killswitch
    limits = state.limits
    active = (
        ("HEARTBEAT", heartbeat_late(now.heartbeat_age_ms, limits.heartbeat_limit_ms)),
        ("GRID", limits.grid_in_use and now.grid_members < 1),
        ("CHECKSUM", now.latched_checksum),
        ("DESYNC", now.latched_desync),
        ("OPERATOR", now.latched_operator),
    )
    return [name for name, on in active if on]


def factors(state: State) -> dict[str, int]:
    """Return the five factors, ppm."""
    profile = state.limits.profile
    return {
        "cat1_ppm": 0 if state.killswitch.killed else PPM,
        "structural_ppm": structural(state.survival, profile),
        "micro_ppm": microstructure(state.survival, profile, state.limits.book_stale_ms),
        "environment_ppm": environment(state.survival, profile),
        "capital_ppm": capital_stress(state.ledger),
    }


# SHL-024
def snapshot(state: State) -> Status:
    """Return the state as it is shown."""
    ledger = state.ledger
    return Status(
        market_time_ms=state.clock.market_time_ms,
        process_time_ms=state.clock.process_time_ms,
        posture=int(state.machine.posture),
        effective=int(effective(state)),
        multiplier_ppm=state.survival.multiplier_ppm,
        target_ppm=target(state),
        **factors(state),
        killed=state.killswitch.killed,
        causes=tuple(causes(state)),
        operator_request=int(state.killswitch.operator_request),
        operator_request_age_ms=state.killswitch.operator_request_age_ms,
        journal_writable=state.killswitch.journal_writable,
        fence_epoch=state.gate.fence_epoch,
        fence_confirmed=state.gate.fence_confirmed,
        flat=flat(state.gate),
        ceiling=ceiling(effective(state)),
        cash=ledger.cash,
        equity=equity(ledger),
        capital=capital(ledger),
        equity_peak=ledger.equity_peak,
        drawdown_ppm=ledger.drawdown_ppm,
        fees=ledger.fees,
        open_notional=state.gate.open_notional,
        reserved_notional=state.gate.reserved_notional,
        slots=tuple(
            Slot(
                instrument=slot.instrument,
                mark=slot.mark,
                quantity=slot.quantity,
                cost=slot.cost,
                permit_kind=int(slot.permit_kind),
            )
            for slot in state.gate.slots
        ),
    )
