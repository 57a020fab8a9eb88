"""What each process does first: arrange to die with its parent, and report its isolation.

Rules of this file:

*   ``die_with_parent`` before anything else: supervisord's children survive its death unless they
    ask the machine otherwise.
*   A measure that the machine refuses is reported, never assumed (design 7).

Not here: users, Landlock, seccomp, SCHED_FIFO and pinning. They come with the capability that runs
each partition as a user of its own; until then the session's account lists them as not held.
"""

import ctypes
import gc
import os
import signal
import sys
from dataclasses import asdict, dataclass

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
MCL_CURRENT = 1
MCL_FUTURE = 2


@dataclass(frozen=True)
class Measure:
    """One measure of isolation: whether it holds here, and what that means."""

    measure: str
    held: bool
    detail: str


def _granted(option: int, value: int) -> bool:
    """Return whether the machine lets this process have an option of ``prctl``."""
    call = ctypes.CDLL(None).prctl
    call.argtypes = (ctypes.c_int, ctypes.c_ulong)
    return int(call(option, value)) == 0


# LNK-019
def die_with_parent() -> Measure:
    """Ask to be killed when the parent dies; leave at once where it is dead already."""
    parent = os.getppid()
    held = _granted(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent died while this process started")
    return Measure("dies with its parent", held, "PR_SET_PDEATHSIG")


def harden() -> list[Measure]:
    """Make this process hard to read, and its pauses short; return what held.

    For the kernel and the guard: no core dumps or ptrace by this user, memory locked, no garbage
    collection while it runs (both make no cycles per message).
    """
    dumpable = _granted(PR_SET_DUMPABLE, 0)
    locked = ctypes.CDLL(None, use_errno=True).mlockall(MCL_CURRENT | MCL_FUTURE) == 0
    detail = "mlockall" if locked else f"mlockall: {os.strerror(ctypes.get_errno())}"
    gc.collect()
    gc.freeze()
    gc.disable()
    return [
        Measure("memory unreadable for this user's other processes", dumpable, "PR_SET_DUMPABLE 0"),
        Measure("memory locked", locked, detail),
        Measure("no garbage collection", True, "gc frozen and disabled"),
    ]


# LNK-018
def measures(found: list[Measure]) -> list[dict[str, object]]:
    """Return measures as plain data."""
    return [asdict(one) for one in found]
