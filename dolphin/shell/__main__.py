"""The kernel's process: ``python -m dolphin.shell RUN_FOLDER``.

Rules of this file:

*   It sleeps to an absolute deadline each tick and is woken for messages; it never spins and never
    waits for a client. Process time starts at 0 when the session's parts are all connected.
*   One turn of the loop (``dolphin/link/loop.py``) reads at most ``TURN_MESSAGES`` of a client, in
    the order of ``ROLES``; a role without tokens is not read until it has some
    (``roles.TokenBucket``).
*   Answers that a client does not take are dropped and counted. Messages to the guard are kept in
    order until it takes them.
*   On a corrupt journal or ledger it does not start, nor without its configuration and keys, nor
    with constants that have no passing model run on record or limits out of bounds
    (``traces/constants.py``): one line, exit 2.
*   SIGTERM ends it: the journal gets its closing record.

Not here: what an event does (``core``, ``kernel``).
"""

import json
import signal
import sys
import time
from collections import Counter
from functools import partial
from types import FrameType

from dolphin.link.channel import Channel, LinkError
from dolphin.link.codec import Unreadable, encode
from dolphin.link.config import PERMIT_KEY, BadConfig, Config, folder_named, load
from dolphin.link.loop import Loop, Rank
from dolphin.link.messages import TO_KERNEL, ToKernel
from dolphin.link.process import Measure, die_with_parent, harden, measures
from dolphin.shell.core import GUARD_QUEUE_MAX, Shell
from dolphin.shell.journal import JournalFailure, open_journal
from dolphin.shell.roles import ROLES, Role, TokenBucket
from traces.constants import Unrecorded, limits_fault, recorded
from traces.frames import JournalCorrupt

TURN_MESSAGES = 64
START_WITHIN_S = 60.0
GATHER_S = 0.2
# Exit codes: what a new start would find again, and what may have passed by then.
UNUSABLE = 2
TRY_AGAIN = 1
NEEDED = frozenset({"guard", "driver", "sensors", "alpha"})


class Counted:
    """A role's tokens as its rank's gate: what they kept from being read is counted."""

    def __init__(self, role: Role, counts: Counter[str]) -> None:
        """Begin with a full bucket."""
        self._bucket = TokenBucket(role.per_second, role.burst)
        self._counts = counts
        self._name = f"throttled_{role.name}"

    def refill(self, now: float) -> bool:
        """Return whether the role may be read at ``now``."""
        return self._bucket.refill(now)

    # SHL-014
    def spend(self) -> bool:
        """Return whether the role may be read on."""
        left = self._bucket.spend()
        self._counts[self._name] += not left
        return left


class Kernel:
    """Sockets and clocks around a ``Shell``. ``isolation`` is what holds its process apart."""

    # SHL-044
    def __init__(self, config: Config) -> None:
        """Open the journal, then listen for every role of the session."""
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
        self.loop = Loop()
        closed = config.closed_paths
        self.ranks = {role.name: self._rank(role) for role in ROLES if role.name not in closed}
        self._guard = self.ranks["guard"]
        self._late_ms_max = 0.0
        self._turns = 0
        self._origin_ns = self._deadline_ns = 0

    # SHL-007, SHL-019, SHL-020, SHL-038
    def _rank(self, role: Role) -> Rank[ToKernel]:
        """Listen for a role."""
        rank = Rank(
            role.name,
            TO_KERNEL,
            partial(self._take, role),
            clients=role.clients,
            messages=TURN_MESSAGES,
            gate=Counted(role, self.shell.counts),
            opened=self._greet if role.name == "guard" else None,
            outbox_max=GUARD_QUEUE_MAX,
        )
        return self.loop.listen(rank, self.config.socket(f"kernel.{role.name}"))

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
        """Tick where it is due, then hear what comes until the next tick is."""
        tick_ns = self.config.tick_ms * 1_000_000
        now = time.monotonic_ns()
        if now >= self._deadline_ns:
            self._late_ms_max = max(self._late_ms_max, (now - self._deadline_ns) / 1e6)
            self.shell.tick((now - self._origin_ns) // 1_000_000)
            self._deadline_ns = max(self._deadline_ns + tick_ns, now - now % tick_ns + tick_ns)
        self._tell_guard()
        self._turns += 1
        self.loop.turn(self._deadline_ns / 1e9)

    # SHL-021
    def gather(self, seconds: float) -> None:
        """Wait for the session's parts: heartbeats count from when all of them are there.

        Nobody is heard before.
        """
        until = time.monotonic() + seconds
        while not self.stopped and not all(self.ranks[name].channels for name in NEEDED):
            if time.monotonic() > until:
                break
            self.loop.turn(min(until, time.monotonic() + GATHER_S), hears=False)

    # SHL-025
    def _greet(self) -> None:
        """What waited was for the guard that was there before."""
        self._guard.outbox.clear()
        self.shell.greet_guard()

    # SHL-014, SHL-016, SHL-017, SHL-018, SHL-022, SHL-043
    def _take(self, role: Role, channel: Channel, heard: ToKernel | Unreadable) -> None:
        """Answer one message."""
        answer = self.shell.take(role, heard)
        self._tell_guard()
        if not channel.send(encode(answer)):
            self.shell.counts["replies_dropped"] += 1

    # SHL-029
    def _tell_guard(self) -> None:
        """Hand the guard what waits for it, in order, as far as it takes it."""
        queue = self.shell.to_guard
        while self._guard.channels and queue and self._guard.put(queue[0]):
            queue.popleft()
        self.loop.flush(self._guard)

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
def kernel_of(folder: str) -> Kernel:
    """Return the kernel of a session whose constants are on record and limits in bounds.

    Raises what keeps it from starting.
    """
    config = load(folder)
    recorded()
    fault = limits_fault(config.limits())
    if fault:
        raise BadConfig(f"{config.run / 'config.json'}: {fault}")
    return Kernel(config)


def main() -> None:
    """Run the kernel of the session in the folder named on the command line."""
    tied = die_with_parent()
    folder = folder_named("kernel", sys.argv)
    try:
        kernel = kernel_of(folder)
    except (JournalCorrupt, BadConfig, Unrecorded, ValueError) as error:
        sys.stderr.write(f"kernel: {folder}: {error}\n")
        sys.exit(UNUSABLE)
    except (JournalFailure, LinkError, OSError) as error:
        sys.stderr.write(f"kernel: {folder}: {error}\n")
        sys.exit(TRY_AGAIN)
    kernel.isolation = [tied, *harden()]
    signal.signal(signal.SIGTERM, kernel.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel.run()


if __name__ == "__main__":
    main()
