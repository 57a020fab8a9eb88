"""The runner of a demonstration: it does the drills that need an operator's or a killer's hand.

Rules of this file:

*   A drill is done when the driver asks for it, between two bars, and what it showed goes back.
*   The operator's acts go through the command line, as an operator's would; only what must be said
    at once (a confirmation that comes too early) goes directly.
*   What a drill breaks from outside (the limit of the kernel's files) is mended whatever happens.

Not here: which drill when (``plan``), what had to be shown (``dolphin/ops/collect.py``).
"""

import os
import resource
import subprocess
import sys
import time

from dolphin.drills.messages import TO_RUNNER, DoDrill, DrillDone, DrillGuard
from dolphin.link.codec import Message, plain
from dolphin.link.messages import (
    FROM_GUARD,
    TEXT_MAX,
    ConfirmRearm,
    RequestPeakReset,
    RequestRearm,
)
from dolphin.ops.operator import NoSession, me
from dolphin.ops.runner import Runner
from dolphin.ops.supervise import ROOT

REFUSED_S = 10.0


class Conductor(Runner):
    """A runner that does drills."""

    heard = TO_RUNNER

    def more(self) -> None:
        """Connect to the guard, which can be asked for a fault."""
        self.guard = self.reach("guard", "guard.runner", FROM_GUARD)

    def take(self, message: Message) -> None:
        """Do a drill of the driver's."""
        if isinstance(message, DoDrill):
            self._drill(message.name)

    def _drill(self, name: str) -> None:
        self._progress(f"drill: {name.replace('_', ' ')}")
        seen: set[str] = set()
        detail = ""
        try:
            before = self.operator.account().refusals
            seen |= getattr(self, f"drill_{name}")()
            after = self.operator.account().refusals
        except NoSession as error:
            detail = str(error)
            before = after = {}
        seen |= {reason for reason, times in after.items() if times > before.get(reason, 0)}
        detail = plain(detail, TEXT_MAX)  # longer, it would be refused, and the drill with it
        self.driver.tell(DrillDone(name=name, seen=tuple(sorted(seen)), detail=detail))

    def command(self, *words: str) -> int:
        """Run ``dolphin WORDS`` on this session as an operator would; return its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "dolphin.cli", *words, "--session", str(self.config.run)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
            timeout=60,
        )
        with (self.config.run / "logs" / "operator.log").open("a") as log:
            log.write(f"dolphin {' '.join(words)}: exit {done.returncode}\n")
            log.write(done.stdout + done.stderr)
        return done.returncode

    def _causes(self) -> set[str]:
        return set(self.operator.account().kill_causes)

    def rearm(self, why: str) -> bool:
        """Re-arm in two steps through the command line; return whether it came through."""
        for _ in range(3):
            if self.command("rearm", "--request", "--reason", why) != 0:
                continue
            self.until(lambda now: now.operator_request_age_ms >= self.config.cooling_ms, 10.0)
            if self.command("rearm", "--confirm", "--reason", f"{why}: confirmed") == 0:
                return True
        return False

    def drill_stale_fence(self) -> set[str]:
        """The guard confirms a fence that is none."""
        return self._guard("stale_fence", "STALE_EPOCH")

    def drill_close_nothing(self) -> set[str]:
        """The guard closes an order that is not there."""
        return self._guard("close_nothing", "NO_PERMIT")

    def _guard(self, name: str, reason: str) -> set[str]:
        """Have the guard say something wrong; wait until the kernel has refused it."""
        before = self.operator.account().refusals.get(reason, 0)
        self.guard.ask(DrillGuard(name=name), 2.0)
        self.until(lambda _: self.operator.account().refusals.get(reason, 0) > before, REFUSED_S)
        return set()

    def _let_files_grow(self, allowed: bool) -> None:
        """Have the machine refuse to let the kernel's files grow, as a full disk would, or not.

        Set from outside (ADR 0042): nothing in the kernel's process knows of it. A process that
        died meanwhile has no limit any more.
        """
        try:
            pid = self.tree.pid("kernel")
            _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if allowed else 1, hard))
        except ProcessLookupError:
            pass

    def drill_rearm_nothing(self) -> set[str]:
        """Nothing is latched: neither step of a re-arm passes."""
        self.operator.act(RequestRearm, me(), "drill: nothing to re-arm")
        self.operator.act(ConfirmRearm, me(), "drill: nothing was requested")
        return set()

    def drill_not_flat(self) -> set[str]:
        """No peak reset while a position is open."""
        self.operator.act(RequestPeakReset, me(), "drill: not flat")
        return set()

    def drill_kill_operator(self) -> set[str]:
        """Kill with a position open; it is flattened; then re-arm, too early and in time."""
        self.command("kill", "--reason", "drill: an operator's kill")
        self.until(lambda now: now.flat and now.fence_confirmed, 15.0)
        self.operator.act(RequestRearm, me(), "drill: a confirmation that comes too early")
        self.operator.act(ConfirmRearm, me(), "drill: too early")
        seen = self._causes()
        if self.rearm("drill: after an operator's kill"):
            seen.add("REARMED")
        return seen

    def drill_kill_alpha(self) -> set[str]:
        """SIGKILL the alpha: supervisord starts another, but its heart is silent until a bar."""
        self.tree.kill("alpha")
        limit_s = self.config.heartbeat_limit_ms[0] / 1000
        end = time.monotonic() + limit_s * 3 + 10
        while time.monotonic() < end and "HEARTBEAT" not in self._causes():
            time.sleep(0.05)
            self.tree.table()
        self.until(lambda now: now.flat and now.fence_confirmed, 15.0)
        return self._causes()

    def drill_kill_desync(self) -> set[str]:
        """The venue shows books that are off; a re-arm confirmed too late has expired."""
        # The driver has told the venue; the guard asks for its books within half a second.
        self.until(lambda now: "DESYNC" in now.causes, 15.0)
        self.until(lambda now: now.flat and now.fence_confirmed, 15.0)
        seen = self._causes()
        self.operator.act(RequestRearm, me(), "drill: a confirmation that comes too late")
        self.until(
            lambda now: now.operator_request_age_ms > self.config.confirm_window_ms,
            self.config.confirm_window_ms / 1000 + 10,
        )
        self.operator.act(ConfirmRearm, me(), "drill: too late")
        if self.rearm("drill: after books that differed"):
            seen.add("REARMED")
        return seen

    def drill_kill_journal(self) -> set[str]:
        """The machine refuses to let the journal grow; no re-arm until it can be written."""
        self._let_files_grow(False)
        try:
            self.until(lambda now: "CHECKSUM" in now.causes, 10.0)
            self.until(lambda now: now.flat and now.fence_confirmed, 15.0)
            seen = self._causes()
            self.operator.act(RequestRearm, me(), "drill: while the journal is down")
            self.until(lambda now: now.operator_request_age_ms >= self.config.cooling_ms, 10.0)
            self.operator.act(ConfirmRearm, me(), "drill: while the journal is down")
        finally:
            self._let_files_grow(True)
        self.until(lambda now: now.journal_writable, 10.0)
        if self.rearm("drill: after a journal that failed"):
            seen.add("REARMED")
        return seen

    def drill_kill_kernel(self) -> set[str]:
        """SIGKILL the kernel: another folds the journal and begins behind a new fence."""
        before = self.operator.status()
        self.tree.kill("kernel")
        end = time.monotonic() + 30.0
        while time.monotonic() < end:
            self.tree.table()
            try:
                now = self.operator.status()
            except NoSession:
                time.sleep(0.1)
                continue
            if now.fence_epoch > before.fence_epoch:
                kept = now.cash == before.cash
                self.until(lambda now: now.flat and now.fence_confirmed, 15.0)
                return {"RESTARTED"} if kept else set()
            time.sleep(0.05)
        return set()

    def drill_peak_reset(self) -> set[str]:
        """Reset the equity peak in two steps, flat."""
        for _ in range(3):
            if self.command("reset-peak", "--request", "--reason", "drill: a new peak") != 0:
                continue
            self.until(lambda now: now.operator_request_age_ms >= self.config.cooling_ms, 10.0)
            if self.command("reset-peak", "--confirm", "--reason", "drill: confirmed") == 0:
                return {"PEAK_RESET"}
        return set()
