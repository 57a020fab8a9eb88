"""The runner: one session, from the user's choices to its summary.

Rules of this file:

*   Nothing is written before the market has been judged. Then: a place for sockets, a folder with
    room for a journal, keys, configuration, processes; then the runner listens to the driver and
    does the drills that need an operator's or a killer's hand; then it stops everything and
    collects. What cannot be written, or started, is said at once, and leaves nothing behind.
*   A session that ends before its market does (a signal, a driver that died) is killed first, as an
    operator would, and stopped when it is flat at the venue, or known not to be. It has an account
    like any other, with the reason, and never a PASS.
*   The operator's acts go through the command line, as an operator's would; only what must be said
    at once (a confirmation that comes too early) goes directly.
*   A wait has an end, and what did not happen until then is not shown.
*   Limits of time come from this machine: a stall is measured before the session, and a heartbeat
    may be late by many of them before it counts, within the sources' 30 s.

Not here: what had to be shown (``collect``), which drill when (``plan``).
"""

import os
import resource
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dolphin.drills.messages import TO_RUNNER, DoDrill, DrillDone, DrillGuard
from dolphin.drills.plan import drills
from dolphin.feed.driver import WIND_DOWN_BARS
from dolphin.feed.market import plan as episodes_of
from dolphin.feed.panel import Panel, rows_needed
from dolphin.feed.session_market import BAR_MS, judged_market, lot_ppm_of
from dolphin.link.channel import LinkError
from dolphin.link.client import Client
from dolphin.link.codec import Codec, Message
from dolphin.link.config import ANCHOR_KEY, PERMIT_KEY, VENUE_KEY, Config
from dolphin.link.loop import Loop
from dolphin.link.messages import (
    FROM_GUARD,
    ConfirmRearm,
    FromGuard,
    Progress,
    RequestPeakReset,
    RequestRearm,
    SessionEnd,
    Status,
)
from dolphin.ops.collect import collect
from dolphin.ops.endings import Ended, Endings
from dolphin.ops.operator import NoSession, OperatorClient, me
from dolphin.ops.registry import Place, free_name
from dolphin.ops.supervise import (
    ROOT,
    Supervised,
    Unsupervised,
    last_line,
    programs,
    settings,
    unwritable,
)
from dolphin.sensors.standins import STAND_INS
from kernel.constants import HEARTBEAT_MS_MAX
from traces.constants import limits_fault
from traces.journal import PREALLOCATE_BYTES

CASH = 25_000_000_000  # 25,000 USDT
CONNECT_S = 60.0
GLANCE_S = 0.3
STALL_S = 0.4
SILENCE_S = 120.0
HEARTBEAT_MS_MIN = 2_500
HEARTBEAT_STALLS = 60
COOLING_MS = 1_000
CONFIRM_WINDOW_MS = 5_000
PERMIT_MS = 1_500
TICK_MS = 5
BARS_STEP = 50
STALE_BARS = 2.5
FLAT_WITHIN_S = 20.0
ACCOUNT_WITHIN_S = 20.0
# Without one of these there is no session; the others come back, or are done without.
NEEDED = ("kernel", "venue", "guard", "driver")
# What a session writes before its journal grows: the journal's first piece, keys, logs.
ROOM_BYTES = PREALLOCATE_BYTES + (1 << 20)

OnProgress = Callable[[Progress], None]


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


def too_short(choices: Choices) -> str:
    """Return why a generated market of so few bars can only fail, or the empty text.

    Each drill is due from some bar on, and what is due after the last one is never shown.
    """
    late = _late(choices, choices.bars)
    if choices.data is not None or not late:
        return ""
    enough = choices.bars
    while _late(choices, enough):
        enough += BARS_STEP
    return (
        f"--bars {choices.bars}: too few, the market would end before the drill "
        f"{late[0]!r}; expected at least {enough} with this seed"
    )


def _late(choices: Choices, played: int) -> list[str]:
    """Return the drills that are due only after ``played`` bars of this seed's market."""
    lead = lead_of(choices)
    episodes = episodes_of(choices.seed, played + lead, BAR_MS)
    rows = drills(choices.profile, episodes, played, lead)
    return [row.name for row in rows if row.from_bar >= played - WIND_DOWN_BARS]


@dataclass(frozen=True)
class Market:
    """A session's market as it was judged: the panel, its digest, and its file's SHA-256."""

    panel: Panel
    digest: str
    sha256: str


def market_for(choices: Choices) -> Market:
    """Return the session's market; raises ``PanelError``."""
    bars = choices.bars + lead_of(choices)
    panel, sha256 = judged_market(choices.data, choices.seed, bars, rows_needed(choices.windows))
    return Market(panel, panel.digest(), sha256)


def stall_ms() -> float:
    """Return by how much a sleep of a millisecond was late, at worst, over a short while."""
    worst = 0.0
    end = time.monotonic() + STALL_S
    while (now := time.monotonic()) < end:
        time.sleep(0.001)
        worst = max(worst, (time.monotonic() - now) * 1000 - 1)
    return worst


class Unaccounted(Exception):
    """A session has ended and its account cannot be written; one line says how it ended."""


class Unwritable(Exception):
    """The session's folder cannot be made; one line names the path and says why."""


def _folder(out: Path, wanted: str) -> Path:
    """Make the session's folder below ``out``: a name that nothing there and nothing running has.

    Raises ``OSError``.
    """
    number = 1
    name = free_name(wanted)
    while True:
        try:
            (out / name).mkdir()
            return out / name
        except FileExistsError:
            number += 1
            name = free_name(f"{wanted}-{number}")


def _missing(path: Path) -> list[Path]:
    """Return the folders that making ``path`` makes, the deepest first."""
    return [one for one in (path, *path.parents) if not one.exists()]


def _try_room(folder: Path) -> None:
    """Raise ``OSError`` where the disk, or a quota, has no room for a session's beginning."""
    probe = folder / "room"
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, ROOM_BYTES)
    finally:
        os.close(descriptor)
        probe.unlink()


def prepare(choices: Choices, market: Market, place: Place) -> Config:
    """Make the session's folder, keys and configuration, and let the session be found.

    Raises ``Unwritable``, and has then written nothing.
    """
    out = choices.out.resolve()
    if fault := unwritable(str(out)):
        raise Unwritable(f"--out {str(out)!a}: this path {fault}; expected one that does not")
    made = _missing(out)
    folder: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        wanted = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{choices.profile}-{choices.seed}"
        folder = _folder(out, wanted)
        _try_room(folder)
        config = _fill(folder, choices, market, place)
        if fault := limits_fault(config.limits()):
            raise Unsupervised(f"{config.data or 'the generated market'}: {fault}")
        settings(config)
        place.enter(config)
        _point(out, folder)
        return config
    except (OSError, Unsupervised) as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        for one in made:
            try:
                one.rmdir()
            except OSError:
                break
        if isinstance(error, Unsupervised):
            raise Unwritable(str(error)) from None
        where = out if folder is None else folder
        raise Unwritable(f"--out {where}: cannot be written ({error.strerror or error})") from None


def _point(out: Path, folder: Path) -> None:
    """Have ``current`` name the session that was started last; raises ``OSError``."""
    pointer = out / f".current-{os.getpid()}"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(folder.name)
    pointer.replace(out / "current")


def _fill(folder: Path, choices: Choices, market: Market, place: Place) -> Config:
    """Write keys and configuration into the session's folder; raises ``OSError``."""
    panel = market.panel
    (folder / "logs").mkdir()
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    for key in (PERMIT_KEY, VENUE_KEY, ANCHOR_KEY):
        path = keys / key
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32) + "\n")
    lead = lead_of(choices)
    stall = stall_ms()
    beat = round(min(HEARTBEAT_MS_MAX, max(HEARTBEAT_MS_MIN, HEARTBEAT_STALLS * stall)))
    if choices.data is not None:
        # No drill waits for a trip here, so nothing is gained by a short limit.
        beat = min(HEARTBEAT_MS_MAX, max(beat, 10_000))
    config = Config(
        id=folder.name,
        folder=str(folder),
        sockets=str(place.path),
        profile=choices.profile,  # type: ignore[arg-type]  # the command line takes no other
        seed=choices.seed,
        windows=choices.windows,
        data=None if choices.data is None else str(Path(choices.data).resolve()),
        bars=panel.rows,
        lead_bars=lead,
        bar_ms=panel.cadence_ms,
        market_time_ms=int(panel.timestamps[lead]) - panel.cadence_ms,
        symbols=tuple(panel.symbols),
        lot_ppm=tuple(lot_ppm_of(panel)),
        cash=CASH,
        heartbeat_limit_ms=(beat, beat, beat, beat),
        cooling_ms=COOLING_MS,
        confirm_window_ms=CONFIRM_WINDOW_MS,
        bar_ms_min=min(1_000, panel.cadence_ms),
        book_stale_ms=round(STALE_BARS * panel.cadence_ms),
        permit_ms=PERMIT_MS,
        tick_ms=TICK_MS,
        deadline_ms=min(beat, 2_000),
        stand_ins=dict(STAND_INS),
        demonstration=choices.data is None,
        panel_sha256=market.sha256,
        market_digest=market.digest,
    )
    config.save()
    return config


class Runner:
    """A running session: its processes, the driver's word, the operator's commands."""

    def __init__(self, config: Config, progress: OnProgress, endings: Endings) -> None:
        """Start the processes and connect.

        Raises ``Unsupervised``, ``LinkError`` where a process does not come up, and ``Ended``.
        """
        self.config = config
        self._progress = progress
        self._endings = endings
        self._loop = Loop()
        self.tree = Supervised(config)
        try:
            self.driver = self._reach("driver", lambda: self._client("driver.runner", TO_RUNNER))
            self.operator = self._reach("kernel", lambda: OperatorClient(config, GLANCE_S))
            self.guard: Client[FromGuard] | None = None
            if config.demonstration:
                self.guard = self._reach("guard", lambda: self._client("guard.runner", FROM_GUARD))
        except BaseException:
            self.tree.stop()
            raise

    def _client[Heard: Message](self, socket: str, hears: Codec[Heard]) -> Client[Heard]:
        return Client(self._loop, self.config.socket(socket), hears, GLANCE_S)

    def _reach[T](self, program: str, connect: Callable[[], T]) -> T:
        """Return what ``connect`` gives once ``program`` listens, or raise ``LinkError``."""
        end = time.monotonic() + CONNECT_S
        while True:
            try:
                return connect()
            except (LinkError, NoSession):
                self._endings.check()
            if fallen := self.fallen():
                raise LinkError(fallen)
            if time.monotonic() > end:
                raise LinkError(f"the {program} did not come up within {CONNECT_S:.0f} s")

    def fallen(self) -> str:
        """Return which process is down for good and what it said last; empty where none is."""
        for row in self.tree.table():
            name = row["name"]
            gone = row["state"] == "FATAL" or (row["state"] == "EXITED" and row["exit"] != 0)
            if name in NEEDED and (gone or (name == "driver" and row["state"] == "EXITED")):
                said = last_line(self.config.run / "logs" / f"{name}.log")
                return f"the {name} ended before the market did: {said or f'logs/{name}.log'}"
        return ""

    def play(self) -> str:
        """Follow the driver to its end; return why the session broke, or nothing."""
        heard = time.monotonic()
        looked = 0.0
        while True:
            self._endings.check()
            message = self.driver.wait(0.5) if self.driver.connected else None
            now = time.monotonic()
            if message is not None:
                heard = now
                if isinstance(message, SessionEnd):
                    return ""
                if isinstance(message, DoDrill):
                    self._drill(message.name)
                    heard = time.monotonic()
                else:
                    self._progress(message)
            if now - looked > 1.0:
                looked = now
                if fallen := self.fallen():
                    return fallen
            if now - heard > SILENCE_S:
                return f"the driver said nothing for {SILENCE_S:.0f} s"
            if not self.driver.connected:
                return self.fallen() or "the driver is gone (logs/driver.log)"

    def come_flat(self, why: str) -> str:
        """Kill as an operator would; return whether the book is flat at the venue, in words."""
        try:
            self.operator.kill(me(), f"the run ends early: {why}")
            end = time.monotonic() + FLAT_WITHIN_S
            while time.monotonic() < end:
                now = self.operator.status()
                if now.flat and now.fence_confirmed:
                    return "killed, and flat"
                time.sleep(0.03)
        except NoSession as error:
            return f"NOT KNOWN TO BE FLAT: {error}"
        return f"NOT FLAT within {FLAT_WITHIN_S:.0f} s of the kill"

    def end_market(self) -> None:
        """Have the driver play no more and leave its account."""
        end = time.monotonic() + ACCOUNT_WITHIN_S
        if self.driver.connected and self.driver.tell(SessionEnd()):
            while self.driver.connected and time.monotonic() < end:
                if isinstance(self.driver.wait(0.5), SessionEnd):
                    return

    # --- drills ----------------------------------------------------------------------------------

    def _drill(self, name: str) -> None:
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
        self.driver.tell(DrillDone(name=name, seen=tuple(sorted(seen)), detail=detail))

    def until(self, holds: Callable[[Status], bool], seconds: float) -> bool:
        """Return whether ``holds`` came true of the status within ``seconds``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._endings.check()
            if holds(self.operator.status()):
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
        return self._guard("stale_fence")

    def drill_close_nothing(self) -> set[str]:
        """The guard closes an order that is not there."""
        return self._guard("close_nothing")

    def _guard(self, name: str) -> set[str]:
        if self.guard is not None:
            self.guard.ask(DrillGuard(name=name), 2.0)
            time.sleep(0.1)
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


def run_session(
    choices: Choices, market: Market, progress: OnProgress, endings: Endings
) -> dict[str, Any]:
    """Play a session and return its account; whatever happens, its processes are stopped.

    Raises ``NoRegistry``, ``Unwritable``, ``Unsupervised`` and ``Ended`` where it did not begin,
    and ``Unaccounted``.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    place = Place()
    try:
        endings.check()
        config = prepare(choices, market, place)
        broken, table = _play(config, progress, endings)
    finally:
        place.leave()
    try:
        return collect(
            config,
            command=choices.command,
            started=started,
            processes=processes(config, table),
            how="supervisord",
            broken=broken,
            rows=market.panel.rows,
        )
    except OSError as error:
        how = broken or "played to its end"
        raise Unaccounted(
            f"{config.folder}: no account can be written ({error.strerror or error}); {how}"
        ) from None


def _play(
    config: Config, progress: OnProgress, endings: Endings
) -> tuple[str, list[dict[str, Any]]]:
    """Return why the session broke, or the empty text, and its processes as they stood last."""
    try:
        runner = Runner(config, progress, endings)
    except Unsupervised as error:
        raise Unsupervised(f"{error} (logs: {config.run / 'logs'})") from None
    except LinkError as error:
        return str(error), []
    except Ended as error:
        return f"ended by {error} before its first bar", []
    try:
        broken = runner.play()
    except Ended as error:
        broken = f"ended by {error}"
    except NoSession as error:
        broken = str(error)
    try:
        table = runner.tree.table()
        if broken:
            broken = f"{broken}; {runner.come_flat(broken)}"
            runner.end_market()
    finally:
        runner.tree.stop()
    return broken, table


def processes(config: Config, table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the process table with levels, as it stood at the session's end."""
    levels = {one.name: one.level for one in programs(config)}
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
