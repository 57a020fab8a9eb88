"""The kernel's shell without its sockets: events in, records and effects out.

Rules of this file:

*   One event at a time: step, record, release, reply. The record comes before the effect. The one
    exception is risk reduction: ``cancel_all_orders`` and ``flatten_positions`` leave even where
    the record could not be written (docs/KERNEL.md, Effects).
*   Records that could not be written wait in the writer, in order: the journal has no gap when it
    can be written again. Meanwhile no permit is given, and the kernel is told (``FailJournal``,
    ``RestoreJournal``).
*   A quiet tick is recorded and not committed: the writer holds it back until something happens.
*   Whatever a client sends ends in an answer, never in an exception. What the kernel's own contract
    rejects is the one exception that passes: the shell then stops, and its journal says where.
*   A kill trips whatever else is wrong with its message: on the operator's path, bytes that name it
    and cannot be read are a kill, with what was there, escaped and cut, for its reason.
*   Messages for the guard are kept in order and are never dropped; the loop carries them out.

Not here: sockets and clocks (``__main__``), rights (``roles``), judgement (``kernel``).
Spec module: Kernel; the shell adds no state that a guard reads.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol, cast

from msgspec.structs import replace

from dolphin.link import messages
from dolphin.link.codec import Unreadable, plain
from dolphin.link.events import event_of
from dolphin.link.messages import (
    WORDS_MAX,
    AccountShown,
    Answer,
    AskAccount,
    AskStatus,
    CancelAll,
    Flatten,
    Hello,
    Issued,
    Order,
    Permit,
    Refused,
    Said,
    Spoken,
    StatusShown,
    ToGuard,
    Token,
    ToKernel,
    TripKillSwitch,
)
from dolphin.link.permit import token_of
from dolphin.shell.history import History
from dolphin.shell.journal import JournalFailure, numbers_of
from dolphin.shell.roles import Role, permitted
from dolphin.shell.snapshot import snapshot
from kernel import constants
from kernel.constants import PPM, Cause
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
KILL = TripKillSwitch.__name__.encode()
UNREADABLE_KILLER = "unreadable"


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
        self.to_guard: deque[ToGuard] = deque()
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
    def take(self, role: Role, heard: ToKernel | Unreadable) -> Answer:
        """Answer what ``role`` said, under the number that it gave."""
        answer = self._answer(role, heard)
        return replace(answer, id=heard.id) if heard.id else answer

    # SHL-018, SHL-022, SHL-042
    def _answer(self, role: Role, heard: ToKernel | Unreadable) -> Answer:
        operator = role.name == "operator"
        if isinstance(heard, Unreadable):
            if not operator or KILL not in heard.data:
                return self._refuse("UNREADABLE", heard.expected)
            heard = TripKillSwitch(
                cause=Cause.OPERATOR, who=UNREADABLE_KILLER, why=plain(heard.data, WORDS_MAX)
            )
        if isinstance(heard, AskStatus):
            return StatusShown(status=snapshot(self.state))
        if isinstance(heard, AskAccount) and operator:
            return self.account()
        if isinstance(heard, AskAccount):
            return self._refuse("NOT_PERMITTED")
        return self._say(role, heard, extract_operator_reason(heard) if operator else None)

    # SHL-001, SHL-002, SHL-008, SHL-013
    def _say(self, role: Role, said: Said, words: tuple[str, str] | None) -> Answer:
        event = event_of(said) if words is None else event_of(said, numbers_of(*words))
        if not permitted(role, event):
            return self._refuse("NOT_PERMITTED")
        outcome = self._apply(event, words)
        if not isinstance(outcome, Accepted):
            return Refused(reason=outcome.reason.name)
        permit = None
        if outcome.effects.issue_permit:
            if self._failed:
                # The record could not be written, so the promise is not made. The slot is freed
                # by the fence that the failure has raised.
                return Refused(reason="JOURNAL_DOWN")
            # Only an order issues a permit: a promise of the kernel's (``kernel/promises.py``).
            permit = self._issue(cast(RequestOrder, event))
        shown = isinstance(said, messages.CloseBar) and said.show
        return messages.Accepted(
            unwritten=self._failed, permit=permit, status=snapshot(self.state) if shown else None
        )

    # SHL-008, SHL-018
    def _refuse(self, reason: str, detail: str = "") -> Refused:
        """Refuse what never became an event, and count it."""
        self.refusals[reason] += 1
        return Refused(reason=reason, detail=detail)

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
            self._tell_guard(CancelAll(epoch=outcome.state.gate.fence_epoch))
        if outcome.effects.flatten_positions:
            tokens = tuple(
                self._sign(slot, order_of(worker, slot))
                for worker, slot in enumerate(outcome.state.gate.slots)
                if flattened(event, worker, slot)
            )
            self._tell_guard(Flatten(permits=tokens))

    # SHL-001, SHL-026
    def _issue(self, event: RequestOrder) -> Token:
        slot = self.state.gate.slots[event.worker]
        token = self._sign(slot, order_of(event.worker, slot, event))
        # The guard learns of every permit from the kernel, so an unused one is closed at its
        # expiry.
        self._tell_guard(Issued(permit=token))
        return token

    # SHL-028
    def _sign(self, slot: Slot, order: Order) -> Token:
        permit = Permit(
            permit_id=self._next_permit,
            epoch=self.state.gate.fence_epoch,
            order=order,
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
        outstanding = tuple(
            worker for worker, slot in enumerate(gate.slots) if slot.permit_quantity != 0
        )
        self._tell_guard(
            Hello(
                epoch=gate.fence_epoch,
                fence_confirmed=gate.fence_confirmed,
                floor=self._next_permit,
                outstanding=outstanding,
            )
        )

    # SHL-029
    def _tell_guard(self, message: ToGuard) -> None:
        if len(self.to_guard) >= GUARD_QUEUE_MAX:
            # A guard that takes nothing is as good as dead, and its heartbeat says so in time; what
            # is dropped here it hears again from ``greet_guard``.
            self.counts["guard_messages_dropped"] += 1
            return
        self.to_guard.append(message)

    # --- the account -----------------------------------------------------------------------------

    # SHL-035
    def account(self) -> AccountShown:
        """Return what happened so far, in this process, for operators."""
        history = self.history
        return AccountShown(
            counts={**history.counts, **self.counts},
            refusals={**history.refusals, **self.refusals},
            kill_causes=tuple({cause: 1 for trip in history.trips for cause in trip["causes"]}),
        )


# SHL-028
def order_of(worker: int, slot: Slot, asked: RequestOrder | None = None) -> Order:
    """Return the order that a slot's permit is for: the one asked for, or the kernel's flatten."""
    return Order(
        worker=worker,
        instrument=slot.instrument,
        side=1 if slot.permit_quantity > 0 else -1,
        reduce_only=asked is None or asked.reduce_only,
        market=asked is None or asked.market,
        quantity=abs(slot.permit_quantity),
        limit_price=0 if asked is None else asked.limit_price,
        leverage_ppm=PPM if asked is None else asked.leverage_ppm,
    )


def flattened(event: Event, worker: int, slot: Slot) -> bool:
    """Return whether the step of ``event``, which flattens, gave ``slot`` its flatten permit.

    Two events flatten: a confirmed fence every slot that holds a position, and an order that ended
    unfilled its own worker's slot alone (``kernel/gate.py``).
    """
    if slot.permit_kind != constants.Permit.FLATTEN:
        return False
    return not isinstance(event, CloseOrder) or event.worker == worker


# SHL-013
def extract_operator_reason(said: Said) -> tuple[str, str] | None:
    """Return an operator's words, who and why; None where the message has none."""
    return (said.who, said.why) if isinstance(said, Spoken) else None
