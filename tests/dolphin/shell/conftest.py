"""A shell with a journal in memory that can be made to fail."""

from typing import Any

import pytest

from dolphin.link.messages import TO_KERNEL
from dolphin.shell.core import Shell
from dolphin.shell.roles import ROLES
from kernel.constants import Profile
from kernel.events import Event
from kernel.outcome import Outcome
from kernel.state import Ledger, Limits, State, initial_state, opening_ledger
from tests.dolphin.said import said
from traces.journal import JournalFailure

KEY = bytes(32)
LIMITS = Limits(
    profile=Profile.BIBLE,
    live=False,
    grid_in_use=False,
    heartbeat_limit_ms=(1000, 1000, 1000, 1000),
    cooling_ms=100,
    confirm_window_ms=1000,
    bar_ms_min=1000,
    book_stale_ms=600_000,
)
BAR_MS = 300_000


class Memory:
    """A journal in memory. ``failing`` makes commits fail, and keeps what was recorded."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.steps: list[tuple[State, Event, Outcome]] = []
        self.words: list[tuple[str, str] | None] = []
        self.committed = 0
        self.failing = False

    def record(
        self, before: State, event: Event, outcome: Outcome, words: tuple[str, str] | None
    ) -> None:
        self.log.append(f"record {type(event).__name__}")
        self.steps.append((before, event, outcome))
        self.words.append(words)

    def commit(self) -> None:
        if self.failing:
            self.log.append("commit failed")
            raise JournalFailure("full")
        self.committed = len(self.steps)
        self.log.append("commit")

    def post(self, ledger: Ledger, time_ms: int) -> None:
        self.log.append("post")


class Rig:
    """A shell, its journal, and short words for what roles say."""

    def __init__(self) -> None:
        self.journal = Memory()
        state = initial_state(LIMITS, opening_ledger(25_000_000_000), 0, 0)
        self.shell = Shell(state, self.journal, KEY, 10**9, 1, lambda: 5)
        self.market_time_ms = 0

    def say(self, role: str, event: str, **fields: Any) -> Any:
        return self.take(role, said(event, **fields))

    def take(self, role: str, heard: Any) -> Any:
        """Hand the shell what a role says: a message, or bytes as they come."""
        row = next(one for one in ROLES if one.name == role)
        return self.shell.take(row, TO_KERNEL.decode(heard) if type(heard) is bytes else heard)

    def beat(self) -> None:
        for role, partition in (("alpha", 0), ("guard", 1), ("driver", 2), ("sensors", 3)):
            self.say(role, "RecordHeartbeat", partition=partition)

    def bar(self) -> Any:
        self.market_time_ms += BAR_MS
        self.say("sensors", "ReportForewarner", status=0)
        book = {"depth_quality_ppm": 10**6, "fill_probability_ppm": 10**6}
        self.say("sensors", "ReportBook", **book, latency_ms=0, jitter_ms=0)
        return self.say("driver", "CloseBar", market_time_ms=self.market_time_ms)

    def to_apex(self) -> None:
        """Confirm the fence, claim, mark, and earn trust until APEX."""
        self.say("guard", "ConfirmFence", epoch=self.shell.state.gate.fence_epoch)
        self.say("alpha", "ClaimInstrument", worker=0, instrument=1)
        self.say("driver", "UpdateMark", instrument=1, price=1_000_000)
        for _ in range(80):
            self.beat()
            self.bar()
            if self.shell.state.machine.posture == 3:
                return
        raise AssertionError("APEX was not reached")

    def order(self, **changes: Any) -> Any:
        return self.say("alpha", "RequestOrder", **changes)


@pytest.fixture
def rig() -> Rig:
    """A fresh shell."""
    return Rig()


@pytest.fixture
def apex(rig: Rig) -> Rig:
    """A shell in APEX, its log empty."""
    rig.to_apex()
    rig.journal.log.clear()
    rig.shell.to_guard.clear()
    return rig
