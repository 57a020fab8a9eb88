"""The guard of a demonstration: it says something wrong to the kernel when the runner asks for it.

``python -m dolphin.drills.faulty_guard RUN_FOLDER``. Level E: a session without drills runs
``dolphin.guard``, which knows nothing of this.

Rules of this file:

*   The judge is the guard's own, unchanged: a fault is one more message to the kernel, which has to
    refuse it. Nothing that the guard lets out or holds back is different.
*   A fault has a name, and what has none is refused.

Not here: when which fault is due (``plan``).
"""

from collections.abc import Callable

from dolphin.drills.messages import FROM_RUNNER_TO_GUARD, DrillGuard
from dolphin.guard.__main__ import GuardProcess, serve
from dolphin.guard.guard import Guard
from dolphin.link.channel import Channel
from dolphin.link.codec import Unreadable, encode
from dolphin.link.config import Config
from dolphin.link.loop import Rank
from dolphin.link.messages import Accepted, CloseOrder, ConfirmFence, Refused

FAULTS: dict[str, Callable[[Guard], ConfirmFence | CloseOrder]] = {
    "stale_fence": lambda guard: ConfirmFence(epoch=max(0, guard.epoch - 1)),
    "close_nothing": lambda _guard: CloseOrder(worker=1),
}


class FaultyGuard(GuardProcess):
    """A guard with one more path: the runner's."""

    def __init__(self, config: Config) -> None:
        """Listen for the runner, too."""
        super().__init__(config)
        runner = Rank("runner", FROM_RUNNER_TO_GUARD, self._take_runner)
        self.loop.listen(runner, config.socket("guard.runner"))

    def _take_runner(self, channel: Channel, heard: DrillGuard | Unreadable) -> None:
        fault = FAULTS.get(heard.name) if isinstance(heard, DrillGuard) else None
        if fault is None:
            channel.send(encode(Refused(reason="NO_SUCH_DRILL", id=heard.id)))
            return
        self.guard.to_kernel.append(fault(self.guard))
        channel.send(encode(Accepted(id=heard.id)))
        self.flush()


def main() -> None:
    """Guard the demonstration in the folder named on the command line."""
    serve(FaultyGuard)


if __name__ == "__main__":
    main()
