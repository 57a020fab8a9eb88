"""The kernel's shell without its sockets: events in, records and effects out.

Rules of this file:

*   One event at a time: step, record, release, reply. The record comes before the effect. The one
    exception is risk reduction: ``cancel_all_orders`` and ``flatten_positions`` leave even where
    the record could not be written (docs/KERNEL.md, Effects).
*   Records that could not be written wait in the writer, in order: the journal has no gap when it
    can be written again. Meanwhile no permit is given, and the kernel is told (``FailJournal``,
    ``RestoreJournal``).
*   A quiet tick is recorded and not committed: the writer holds it back until something happens.
*   Whatever a client sends ends in a reply, never in an exception. What the kernel's own contract
    rejects is the one exception that passes: the shell then stops, and its journal says where.
*   Messages for the guard are kept in order and are never dropped; the loop carries them out.

Not here: sockets and clocks (``__main__``), rights (``roles``), judgement (``kernel``).
Spec module: Kernel; the shell adds no state that a guard reads.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Protocol, cast

from dolphin.link.events import NotAnEvent, event_of
from dolphin.link.permit import Permit, token_of
from dolphin.shell.history import History
from dolphin.shell.journal import JournalFailure, numbers_of
from dolphin.shell.roles import Role, permitted
from dolphin.shell.snapshot import snapshot
from kernel import constants
from kernel.events import (
    AdvanceTime,
    CloseOrder,
    ConfirmPeakReset,
    Event,
    FailJournal,
    ReportFill,
    RequestOrder,
    RestartKernel,
    RestoreJournal,
)
from kernel.outcome import Accepted, Outcome
from kernel.state import Ledger, Slot, State
from kernel.step import step
from traces.ticks import is_quiet

GUARD_QUEUE_MAX = 10_000
WORDS_MAX = 400


class Records(Protocol):
    """The journal as the shell needs it."""

    def record(
        self, before: State, event: Event, outcome: Outcome, words: tuple[str, str] | None
    ) -> None:
        """Take one step, and an operator's words (who, why) where it was theirs."""

    def commit(self) -> None:
        """Make what was recorded survive this process; raises ``JournalFailure`` and keeps it."""

    def post(self, ledger: Ledger, time_ms: int) -> None:
        """Bring the ledger's book up to ``ledger``."""


class Shell:
    """State, journal and effects of one kernel."""

    def __init__(
        self,
        state: State,
        records: Records,
        key: bytes,
        permit_ns: int,
        first_permit: int,
        now_ns: Callable[[], int],
    ) -> None:
        """Start from ``state``. A permit lives ``permit_ns``; ids count from ``first_permit``."""
        self.state = state
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.history = History()
        self.to_guard: deque[dict[str, Any]] = deque()
        self._records = records
        self._failed = False
        self._key = key
        self._permit_ns = permit_ns
        self._next_permit = first_permit
        self._now_ns = now_ns

    # --- what comes in ---------------------------------------------------------------------------

    # SHL-005, SHL-021
    def tick(self, process_time_ms: int) -> None:
        """Let process time pass; try a journal that failed again."""
        if process_time_ms > self.state.clock.process_time_ms:
            self._apply(AdvanceTime(process_time_ms=process_time_ms), None)
        # Asked of the kernel's view: any event between two ticks may have been the first to be
        # written again, and the kernel must still hear of it.
        if not self.state.killswitch.journal_writable and self._commit():
            self._apply(RestoreJournal(), None)

    # SHL-031
    def restart(self) -> None:
        """Tell the kernel that its process came up on a journal that was in use."""
        self._apply(RestartKernel(), None)

    # SHL-022
    def take(self, role: Role, message: dict[str, Any]) -> dict[str, Any]:
        """Answer one message of ``role``: the reply for its sender."""
        reply = self._answer(role, message)
        if isinstance(message.get("id"), int):
            reply["id"] = message["id"]
        return reply

    # SHL-002, SHL-008, SHL-018
    def _answer(self, role: Role, message: dict[str, Any]) -> dict[str, Any]:
        if message.get("ask") == "status":
            return {"status": snapshot(self.state)}
        message = dict(message)
        words = extract_operator_reason(message) if role.name == "operator" else None
        shown = message.pop("show", False) is True
        try:
            event = event_of(message)
        except NotAnEvent as error:
            self.refusals["UNREADABLE"] += 1
            return {"ok": False, "reason": "UNREADABLE", "detail": str(error)}
        if not permitted(role, event):
            self.refusals["NOT_PERMITTED"] += 1
            return {"ok": False, "reason": "NOT_PERMITTED"}
        outcome = self._apply(event, words)
        if not isinstance(outcome, Accepted):
            return {"ok": False, "reason": outcome.reason.name}
        reply: dict[str, Any] = {"ok": True}
        if self._failed:
            reply["unwritten"] = True
        if outcome.effects.issue_permit:
            if self._failed:
                # The record could not be written, so the promise is not made. The slot is freed
                # by the fence that the failure has raised.
                return {"ok": False, "reason": "JOURNAL_DOWN"}
            # Only an order issues a permit: a promise of the kernel's (``kernel/promises.py``).
            reply["permit"] = self._issue(cast(RequestOrder, event))
        if shown:
            reply["status"] = snapshot(self.state)
        return reply

    # SHL-018
    def unreadable(self) -> dict[str, Any]:
        """Answer what was no message at all."""
        self.refusals["UNREADABLE"] += 1
        return {"ok": False, "reason": "UNREADABLE"}

    # --- one event -------------------------------------------------------------------------------

    # SHL-001, SHL-004, SHL-005, SHL-006, SHL-023, SHL-034
    def _apply(self, event: Event, words: tuple[str, str] | None) -> Outcome:
        before = self.state
        outcome = step(before, event)
        self._records.record(before, event, outcome, words)
        written = is_quiet(before, event, outcome) or self._commit()
        self.history.see(before, event, outcome)
        if isinstance(outcome, Accepted):
            self.state = outcome.state
            self._reduce_risk(event, outcome)
            if isinstance(event, (ReportFill, ConfirmPeakReset)):
                self._records.post(self.state.ledger, self.state.clock.market_time_ms)
        if not written and self.state.killswitch.journal_writable:
            self._apply(FailJournal(), None)
        return outcome

    # SHL-004
    def _commit(self) -> bool:
        """Commit what was recorded; return whether the journal could be written."""
        try:
            self._records.commit()
        except JournalFailure:
            self.counts["journal_write_failures"] += 1
            self._failed = True
        else:
            self._failed = False
        return not self._failed

    # --- effects ---------------------------------------------------------------------------------

    # SHL-003, SHL-027
    def _reduce_risk(self, event: Event, outcome: Accepted) -> None:
        if outcome.effects.cancel_all_orders:
            self._tell_guard({"do": "cancel_all", "epoch": outcome.state.gate.fence_epoch})
        if outcome.effects.flatten_positions:
            tokens = [
                self._sign(worker, slot, market=True, limit_price=0, reduce_only=True)
                for worker, slot in enumerate(outcome.state.gate.slots)
                if flattened(event, worker, slot)
            ]
            self._tell_guard({"do": "flatten", "permits": tokens})

    # SHL-001, SHL-026
    def _issue(self, event: RequestOrder) -> dict[str, Any]:
        slot = self.state.gate.slots[event.worker]
        token = self._sign(
            event.worker,
            slot,
            market=event.market,
            limit_price=event.limit_price,
            reduce_only=event.reduce_only,
        )
        # The guard learns of every permit from the kernel, so an unused one is closed at its
        # expiry.
        self._tell_guard({"do": "issued", "permit": token})
        return token

    # SHL-028
    def _sign(
        self, worker: int, slot: Slot, *, market: bool, limit_price: int, reduce_only: bool
    ) -> dict[str, Any]:
        permit = Permit(
            permit_id=self._next_permit,
            epoch=self.state.gate.fence_epoch,
            worker=worker,
            instrument=slot.instrument,
            side=1 if slot.permit_quantity > 0 else -1,
            reduce_only=reduce_only,
            market=market,
            quantity=abs(slot.permit_quantity),
            limit_price=limit_price,
            kind=int(slot.permit_kind),
            expires_ns=self._now_ns() + self._permit_ns,
        )
        self._next_permit += 1
        self.counts["permits"] += 1
        return token_of(permit, self._key)

    # SHL-025
    def greet_guard(self) -> None:
        """Queue what a guard that just connected must know; forget what was for its ancestor.

        Permits issued before this one's time are unknown to it: it refuses them (``floor``), and
        closes what they were for.
        """
        self.to_guard.clear()
        gate = self.state.gate
        self._tell_guard(
            {
                "do": "hello",
                "epoch": gate.fence_epoch,
                "fence_confirmed": gate.fence_confirmed,
                "floor": self._next_permit,
                "outstanding": [
                    worker for worker, slot in enumerate(gate.slots) if slot.permit_quantity != 0
                ],
            }
        )

    # SHL-029
    def _tell_guard(self, message: dict[str, Any]) -> None:
        if len(self.to_guard) >= GUARD_QUEUE_MAX:
            # A guard that takes nothing is as good as dead, and its heartbeat says so in time; what
            # is dropped here it hears again from ``greet_guard``.
            self.counts["guard_messages_dropped"] += 1
            return
        self.to_guard.append(message)

    # --- the account -----------------------------------------------------------------------------

    # SHL-035
    def account(self) -> dict[str, Any]:
        """Return what happened so far, in this process, for operators."""
        told = self.history.account()
        told["counts"] |= self.counts
        told["refusals"] |= self.refusals
        return told


def flattened(event: Event, worker: int, slot: Slot) -> bool:
    """Return whether the step of ``event``, which flattens, gave ``slot`` its flatten permit.

    Two events flatten: a confirmed fence every slot that holds a position, and an order that ended
    unfilled its own worker's slot alone (``kernel/gate.py``).
    """
    if slot.permit_kind != constants.Permit.FLATTEN:
        return False
    return not isinstance(event, CloseOrder) or event.worker == worker


# SHL-013
def extract_operator_reason(message: dict[str, Any]) -> tuple[str, str] | None:
    """Take an operator's words out of ``message``, and put in the numbers that stand for them."""
    who, why = message.pop("who", None), message.pop("why", None)
    if not isinstance(who, str) or not isinstance(why, str):
        return None
    who, why = who[:WORDS_MAX], why[:WORDS_MAX]
    message["operator"], message["reason"] = numbers_of(who, why)
    return who, why
