"""The kernel's process: ``python -m dolphin.shell RUN_FOLDER``.

Rules of this file:

*   It sleeps to an absolute deadline each tick and is woken for messages; it never spins and never
    waits for a client. Process time starts at 0 when the session's parts are all connected.
*   One turn reads at most ``TURN_MESSAGES`` of a role, in the order of ``ROLES``; a role without
    tokens is not listened to until it has some (``roles.TokenBucket``).
*   Replies that a client does not take are dropped and counted. Messages to the guard are kept in
    order until it takes them.
*   On a corrupt journal or ledger it does not start, nor without its configuration and keys, nor
    with constants that have no passing model run on record or limits out of bounds
    (``traces/constants.py``): one line, exit 2.
*   SIGTERM ends it: the journal gets its closing record.

Not here: what an event does (``core``, ``kernel``).
"""

import json
import select
import signal
import sys
import time
from types import FrameType

from dolphin.link.channel import BadMessage, Channel, ChannelClosed, LinkError, Listener
from dolphin.link.config import PERMIT_KEY, BadConfig, Config, load
from dolphin.link.process import Measure, die_with_parent, harden, measures
from dolphin.shell.core import GUARD_QUEUE_MAX, Shell
from dolphin.shell.journal import JournalFailure, open_journal
from dolphin.shell.roles import ROLES, Role, TokenBucket
from traces.constants import Unrecorded, limits_fault, recorded
from traces.frames import JournalCorrupt

TURN_MESSAGES = 64
START_WITHIN_S = 60.0
# Exit codes: what a new start would find again, and what may have passed by then.
UNUSABLE = 2
TRY_AGAIN = 1
NEEDED = frozenset({"guard", "driver", "sensors", "alpha"})


class Loop:
    """Sockets and clocks around a ``Shell``. ``isolation`` is what holds its process apart."""

    def __init__(self, config: Config) -> None:
        """Open the journal, then listen for every role."""
        self.config = config
        self.isolation: list[Measure] = []
        self.stopped = False
        self._journal, state, self._restarted = open_journal(config)
        self.shell = Shell(
            state=state,
            records=self._journal,
            key=config.key(PERMIT_KEY),
            permit_ns=config.permit_ms * 1_000_000,
            first_permit=time.time_ns() // 1000,
            now_ns=time.monotonic_ns,
        )
        self._listeners = {
            role.name: Listener(config.socket(f"kernel.{role.name}")) for role in ROLES
        }
        self._channels: dict[str, list[Channel]] = {role.name: [] for role in ROLES}
        self._budgets = {role.name: TokenBucket(role.per_second, role.burst) for role in ROLES}
        self._late_ms_max = 0.0
        self._turns = 0
        self._origin_ns = self._deadline_ns = 0

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End after the step that is under way."""
        self.stopped = True

    def run(self) -> None:
        """Play the session to its end."""
        self.gather(START_WITHIN_S)
        self.begin()
        while not self.stopped:
            self.step()
        self.end()

    def begin(self) -> None:
        """Let process time start; tell the kernel where its journal was in use."""
        self._deadline_ns = time.monotonic_ns()
        base_ms = self.shell.state.clock.process_time_ms
        self._origin_ns = self._deadline_ns - base_ms * 1_000_000
        if self._restarted:
            self.shell.restart()

    # SHL-016, SHL-037
    def step(self) -> None:
        """Tick where it is due, then read what comes until the next tick is."""
        tick_ns = self.config.tick_ms * 1_000_000
        now = time.monotonic_ns()
        if now >= self._deadline_ns:
            self._late_ms_max = max(self._late_ms_max, (now - self._deadline_ns) / 1e6)
            self.shell.tick((now - self._origin_ns) // 1_000_000)
            self._deadline_ns = max(self._deadline_ns + tick_ns, now - now % tick_ns + tick_ns)
        self._tell_guard()
        self._turn(max(0, self._deadline_ns - time.monotonic_ns()) / 1e9)

    # SHL-021
    def gather(self, seconds: float) -> None:
        """Wait for the session's parts: heartbeats count from when all of them are there."""
        until = time.monotonic() + seconds
        while not self.stopped and not all(self._channels[name] for name in NEEDED):
            if time.monotonic() > until:
                break
            poller = select.poll()
            for listener in self._listeners.values():
                poller.register(listener, select.POLLIN)
            poller.poll(200)
            for role in ROLES:
                self._accept(role)

    # SHL-007, SHL-019
    def _accept(self, role: Role) -> None:
        """Take who waits; beyond the role's number the oldest connection goes."""
        fresh = self._listeners[role.name].accept_next()
        if fresh is None:
            return
        channels = self._channels[role.name]
        channels.append(fresh)
        while len(channels) > role.clients:
            channels.pop(0).close()
        if role.name == "guard":
            self.shell.greet_guard()

    def _drop(self, name: str, channel: Channel) -> None:
        channel.close()
        if channel in self._channels[name]:
            self._channels[name].remove(channel)

    # SHL-016, SHL-020, SHL-021
    def _turn(self, seconds: float) -> None:
        """Wait for messages until the deadline, then read each role once, in order."""
        self._turns += 1
        now = time.monotonic()
        poller = select.poll()
        wanted: dict[int, Channel] = {}
        for role in ROLES:
            poller.register(self._listeners[role.name], select.POLLIN)
            if not self._channels[role.name] or not self._budgets[role.name].refill(now):
                continue
            events = select.POLLIN
            if role.name == "guard" and self.shell.to_guard:
                events |= select.POLLOUT
            for channel in self._channels[role.name]:
                poller.register(channel, events)
                wanted[channel.fileno()] = channel
        found = {descriptor for descriptor, _event in poller.poll(seconds * 1000)}
        if not found:
            return
        readable = {wanted[descriptor] for descriptor in found if descriptor in wanted}
        for role in ROLES:
            for channel in list(self._channels[role.name]):
                if channel in readable:
                    self._read(role, channel)
        for role in ROLES:
            if self._listeners[role.name].fileno() in found:
                self._accept(role)

    # SHL-014, SHL-016, SHL-018
    def _read(self, role: Role, channel: Channel) -> None:
        budget = self._budgets[role.name]
        for _ in range(TURN_MESSAGES):
            try:
                try:
                    message = channel.recv()
                    if message is None:
                        return
                    reply = self._answer(role, message)
                except BadMessage:
                    reply = self.shell.unreadable()
                self._tell_guard()
                if not channel.send(reply):
                    self.shell.counts["replies_dropped"] += 1
            except ChannelClosed:
                self._drop(role.name, channel)
                return
            if not budget.spend():
                self.shell.counts[f"throttled_{role.name}"] += 1
                return

    # SHL-017, SHL-022, SHL-038
    def _answer(self, role: Role, message: dict[str, object]) -> dict[str, object]:
        """Answer a message; the operator may also ask for a journal that fails, as a drill."""
        if role.name == "operator" and "drill" in message:
            permitted = self.config.drills and message["drill"] == "journal"
            if permitted:
                self._journal.fail(message.get("on") is True)
            return {"ok": permitted, "id": message.get("id")}
        if role.name == "operator" and message.get("ask") == "account":
            return {"account": self.shell.account(), "id": message.get("id")}
        return self.shell.take(role, message)

    # SHL-029
    def _tell_guard(self) -> None:
        """Hand the guard what waits for it, in order, as far as it takes it."""
        queue = self.shell.to_guard
        if not self._channels["guard"] or not queue:
            return
        channel = self._channels["guard"][0]
        try:
            while queue and channel.send(queue[0]):
                queue.popleft()
        except ChannelClosed:
            self._drop("guard", channel)
        if len(queue) >= GUARD_QUEUE_MAX:
            self._drop("guard", channel)

    # SHL-033
    def end(self) -> None:
        """Close the journal and leave the account of this process."""
        self._journal.close()
        account = {
            "counts": dict(self.shell.counts),
            "refusals": dict(self.shell.refusals),
            "isolation": measures(self.isolation),
            "turns": self._turns,
            "tick_late_ms_max": round(self._late_ms_max, 3),
            **self._journal.account(),
        }
        (self.config.run / "kernel.json").write_text(json.dumps(account, indent=1) + "\n")


# SHL-030, SHL-036, SHL-039, SHL-040
def loop_of(folder: str) -> Loop:
    """Return the loop of a session whose constants are on record and whose limits are in bounds.

    Raises what keeps it from starting.
    """
    config = load(folder)
    recorded()
    fault = limits_fault(config.limits())
    if fault:
        raise BadConfig(f"{config.run / 'config.json'}: {fault}")
    return Loop(config)


def main() -> None:
    """Run the kernel of the session in the folder named on the command line."""
    tied = die_with_parent()
    folder = sys.argv[1]
    try:
        loop = loop_of(folder)
    except (JournalCorrupt, BadConfig, Unrecorded, ValueError) as error:
        sys.stderr.write(f"kernel: {folder}: {error}\n")
        sys.exit(UNUSABLE)
    except (JournalFailure, LinkError, OSError) as error:
        sys.stderr.write(f"kernel: {folder}: {error}\n")
        sys.exit(TRY_AGAIN)
    loop.isolation = [tied, *harden()]
    signal.signal(signal.SIGTERM, loop.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop.run()


if __name__ == "__main__":
    main()
