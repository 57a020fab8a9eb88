"""The runner: one session from its choices to its account.

Rules of this file:

*   Nothing is written before the market has been judged. Then: folder, keys, configuration,
    processes; then the runner listens to the driver and does the drills that need an operator's or
    a killer's hand; then it stops everything and collects.
*   The operator's acts go through the command line, as an operator's would; only what must be said
    at once (a confirmation that comes too early) goes directly.
*   A wait has an end, and what did not happen until then is not shown.
*   Limits of time come from this machine: a stall is measured before the session, and a heartbeat
    may be late by many of them before it counts, within the sources' 30 s.

Not here: what had to be shown (``collect``), which drill when (``plan``).
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dolphin.feed.panel import Panel, rows_needed
from dolphin.link.channel import LinkError
from dolphin.link.client import Client
from dolphin.link.config import ANCHOR_KEY, PERMIT_KEY, VENUE_KEY, Config
from dolphin.ops.collect import collect
from dolphin.ops.market import load_market, lot_ppm_of
from dolphin.ops.operator import Hand, NoSession, me
from dolphin.ops.supervise import PROGRAMS, ROOT, Tree, start
from dolphin.sensors.standins import STAND_INS
from kernel.constants import HEARTBEAT_MS_MAX

CASH = 25_000_000_000  # 25,000 USDT
CONNECT_S = 60.0
STALL_S = 0.4
SILENCE_S = 120.0
HEARTBEAT_MS_MIN = 2_500
HEARTBEAT_STALLS = 60
COOLING_MS = 1_000
CONFIRM_WINDOW_MS = 5_000
PERMIT_MS = 1_500
TICK_MS = 5
STALE_BARS = 2.5

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Choices:
    """What a user chose. ``bars`` counts played bars of the generated market."""

    profile: str
    seed: int
    windows: tuple[int, ...]
    data: str | None
    bars: int
    out: Path
    command: tuple[str, ...]


def lead_of(choices: Choices) -> int:
    """Return how many bars are history: a generated market has a past, a panel none."""
    return rows_needed(choices.windows) + 2 if choices.data is None else 0


def market_for(choices: Choices) -> Panel:
    """Return the session's panel; raises ``PanelError``."""
    lead = lead_of(choices)
    return load_market(
        choices.data, choices.seed, choices.bars + lead, rows_needed(choices.windows)
    )


def stall_ms() -> float:
    """Return by how much a sleep of a millisecond was late, at worst, over a short while."""
    worst = 0.0
    end = time.monotonic() + STALL_S
    while (now := time.monotonic()) < end:
        time.sleep(0.001)
        worst = max(worst, (time.monotonic() - now) * 1000 - 1)
    return worst


def prepare(choices: Choices, panel: Panel) -> Config:
    """Make the session's folder, keys and configuration; point ``current`` at it."""
    started = datetime.now(UTC)
    name = f"{started:%Y%m%d-%H%M%S}-{choices.profile}-{choices.seed}"
    out = choices.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    folder = out / name
    number = 1
    while folder.exists():
        number += 1
        folder = out / f"{name}-{number}"
    folder.mkdir()
    (folder / "logs").mkdir()
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    for key in (PERMIT_KEY, VENUE_KEY, ANCHOR_KEY):
        path = keys / key
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32) + "\n")
    sockets = tempfile.mkdtemp(prefix="dolphin-")
    lead = lead_of(choices)
    stall = stall_ms()
    beat = round(min(HEARTBEAT_MS_MAX, max(HEARTBEAT_MS_MIN, HEARTBEAT_STALLS * stall)))
    if choices.data is not None:
        # No drill waits for a trip here, so nothing is gained by a short limit.
        beat = min(HEARTBEAT_MS_MAX, max(beat, 10_000))
    config = Config(
        id=folder.name,
        folder=str(folder),
        sockets=sockets,
        profile=choices.profile,
        seed=choices.seed,
        windows=list(choices.windows),
        data=None if choices.data is None else str(Path(choices.data).resolve()),
        bars=panel.rows,
        lead_bars=lead,
        bar_ms=panel.cadence_ms,
        market_time_ms=int(panel.timestamps[lead]) - panel.cadence_ms,
        symbols=list(panel.symbols),
        lot_ppm=lot_ppm_of(panel),
        cash=CASH,
        heartbeat_limit_ms=[beat] * 4,
        cooling_ms=COOLING_MS,
        confirm_window_ms=CONFIRM_WINDOW_MS,
        bar_ms_min=min(1_000, panel.cadence_ms),
        book_stale_ms=round(STALE_BARS * panel.cadence_ms),
        permit_ms=PERMIT_MS,
        tick_ms=TICK_MS,
        deadline_ms=min(beat, 2_000),
        stand_ins=dict(STAND_INS),
        drills=choices.data is None,
    )
    config.save()
    pointer = out / f".current-{os.getpid()}"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(folder.name)
    pointer.replace(out / "current")
    return config


class Runner:
    """A running session: its processes, the driver's word, the operator's hand."""

    def __init__(self, config: Config, progress: Progress) -> None:
        """Start the processes and connect; raises ``LinkError`` where they do not come up."""
        self.config = config
        self._progress = progress
        self.tree: Tree = start(config)
        try:
            self.driver = Client(config.socket("driver.runner"), CONNECT_S)
            end = time.monotonic() + CONNECT_S
            while True:
                try:
                    self.hand = Hand(config.run)
                    break
                except NoSession:
                    if time.monotonic() > end:
                        raise LinkError("the kernel did not come up") from None
                    time.sleep(0.05)
            self.guard = Client(config.socket("guard.runner"), CONNECT_S) if config.drills else None
        except BaseException:
            self.tree.stop()
            raise

    def play(self) -> str:
        """Follow the driver to its end; return why the session broke, or nothing."""
        heard = time.monotonic()
        looked = 0.0
        while True:
            message = self.driver.wait(0.5) if self.driver.connected else None
            now = time.monotonic()
            if message is not None:
                heard = now
                if "end" in message:
                    return ""
                if "drill" in message:
                    self._drill(str(message["drill"]))
                    heard = time.monotonic()
                elif "bar" in message:
                    self._progress(message)
            if now - looked > 1.0:
                looked = now
                for row in self.tree.table():
                    if row["name"] == "driver" and row["state"] in ("EXITED", "FATAL"):
                        return "the driver ended before the market did (logs/driver.log)"
            if now - heard > SILENCE_S:
                return f"the driver said nothing for {SILENCE_S:.0f} s"
            if not self.driver.connected:
                return "the driver is gone (logs/driver.log)"

    # --- drills ----------------------------------------------------------------------------------

    def _drill(self, name: str) -> None:
        seen: set[str] = set()
        detail = ""
        try:
            before = self.hand.account()["refusals"]
            seen |= getattr(self, f"drill_{name}")()
            after = self.hand.account()["refusals"]
        except NoSession as error:
            detail = str(error)
            before = after = {}
        seen |= {reason for reason, times in after.items() if times > before.get(reason, 0)}
        self.driver.tell({"drilled": name, "seen": sorted(seen), "detail": detail})

    def until(self, holds: Callable[[dict[str, Any]], bool], seconds: float) -> bool:
        """Return whether ``holds`` came true of the status within ``seconds``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds(self.hand.status()):
                return True
            time.sleep(0.03)
        return False

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
        return {cause for trip in self.hand.account()["trips"] for cause in trip["causes"]}

    def rearm(self, why: str) -> bool:
        """Re-arm in two steps through the command line; return whether it came through."""
        for _ in range(3):
            if self.command("rearm", "--request", "--reason", why) != 0:
                continue
            self.until(lambda now: now["operator_request_age_ms"] >= self.config.cooling_ms, 10.0)
            if self.command("rearm", "--confirm", "--reason", f"{why}: confirmed") == 0:
                return True
        return False

    def drill_stale_fence(self) -> set[str]:
        """The guard confirms a fence that is none."""
        return self._guard("stale_fence")

    def drill_close_nothing(self) -> set[str]:
        """The guard closes an order that is not there."""
        return self._guard("close_nothing")

    def _guard(self, name: str) -> set[str]:
        if self.guard is not None:
            self.guard.ask({"drill": name}, 2.0)
            time.sleep(0.1)
        return set()

    def drill_rearm_nothing(self) -> set[str]:
        """Nothing is latched: neither step of a re-arm passes."""
        self.hand.act("RequestRearm", me(), "drill: nothing to re-arm")
        self.hand.act("ConfirmRearm", me(), "drill: nothing was requested")
        return set()

    def drill_not_flat(self) -> set[str]:
        """No peak reset while a position is open."""
        self.hand.act("RequestPeakReset", me(), "drill: not flat")
        return set()

    def drill_kill_operator(self) -> set[str]:
        """Kill with a position open; it is flattened; then re-arm, too early and in time."""
        self.command("kill", "--reason", "drill: an operator's kill")
        self.until(lambda now: now["flat"] and now["fence_confirmed"], 15.0)
        self.hand.act("RequestRearm", me(), "drill: a confirmation that comes too early")
        self.hand.act("ConfirmRearm", me(), "drill: too early")
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
        self.until(lambda now: now["flat"] and now["fence_confirmed"], 15.0)
        return self._causes()

    def drill_kill_desync(self) -> set[str]:
        """The venue shows books that are off; a re-arm confirmed too late has expired."""
        # The driver has told the venue; the guard asks for its books within half a second.
        self.until(lambda now: "DESYNC" in now["causes"], 15.0)
        self.until(lambda now: now["flat"] and now["fence_confirmed"], 15.0)
        seen = self._causes()
        self.hand.act("RequestRearm", me(), "drill: a confirmation that comes too late")
        self.until(
            lambda now: now["operator_request_age_ms"] > self.config.confirm_window_ms,
            self.config.confirm_window_ms / 1000 + 10,
        )
        self.hand.act("ConfirmRearm", me(), "drill: too late")
        if self.rearm("drill: after books that differed"):
            seen.add("REARMED")
        return seen

    def drill_kill_journal(self) -> set[str]:
        """The machine refuses to let the journal grow; no re-arm until it can be written."""
        self.hand.drill(True)
        self.until(lambda now: "CHECKSUM" in now["causes"], 10.0)
        self.until(lambda now: now["flat"] and now["fence_confirmed"], 15.0)
        seen = self._causes()
        self.hand.act("RequestRearm", me(), "drill: while the journal is down")
        self.until(lambda now: now["operator_request_age_ms"] >= self.config.cooling_ms, 10.0)
        self.hand.act("ConfirmRearm", me(), "drill: while the journal is down")
        self.hand.drill(False)
        self.until(lambda now: now["journal_writable"], 10.0)
        if self.rearm("drill: after a journal that failed"):
            seen.add("REARMED")
        return seen

    def drill_kill_kernel(self) -> set[str]:
        """SIGKILL the kernel: another folds the journal and begins behind a new fence."""
        before = self.hand.status()
        self.tree.kill("kernel")
        end = time.monotonic() + 30.0
        while time.monotonic() < end:
            self.tree.table()
            try:
                now = self.hand.status()
            except NoSession:
                time.sleep(0.1)
                continue
            if now["fence_epoch"] > before["fence_epoch"]:
                kept = now["cash"] == before["cash"]
                self.until(lambda now: now["flat"] and now["fence_confirmed"], 15.0)
                return {"RESTARTED"} if kept else set()
            time.sleep(0.05)
        return set()

    def drill_peak_reset(self) -> set[str]:
        """Reset the equity peak in two steps, flat."""
        for _ in range(3):
            if self.command("reset-peak", "--request", "--reason", "drill: a new peak") != 0:
                continue
            self.until(lambda now: now["operator_request_age_ms"] >= self.config.cooling_ms, 10.0)
            if self.command("reset-peak", "--confirm", "--reason", "drill: confirmed") == 0:
                return {"PEAK_RESET"}
        return set()


def run_session(choices: Choices, panel: Panel, progress: Progress) -> dict[str, Any]:
    """Play a session and return its account; whatever happens, its processes are stopped."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    config = prepare(choices, panel)
    broken, how = "", ""
    table: list[dict[str, Any]] = []
    try:
        runner = Runner(config, progress)
        how = runner.tree.how
        try:
            broken = runner.play()
            table = runner.tree.table()
        except KeyboardInterrupt:
            broken = "interrupted"
        except NoSession as error:
            broken = str(error)
        finally:
            runner.tree.stop()
    except LinkError as error:
        broken = f"the processes did not come up: {error}"
    finally:
        shutil.rmtree(config.sockets, ignore_errors=True)
    return collect(
        config,
        command=choices.command,
        started=started,
        processes=processes(table),
        how=how,
        broken=broken,
        rows=panel.rows,
    )


def processes(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the process table with levels, as it stood at the session's end."""
    levels = {one.name: one.level for one in PROGRAMS}
    return [
        {
            "name": row["name"],
            "pid": row["pid"],
            "level": levels.get(row["name"], "?"),
            "uid": os.getuid(),
            "exit": row["exit"],
        }
        for row in table
    ]
