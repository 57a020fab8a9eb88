"""What a session needs before it starts: a market that was judged, a folder, keys, configuration.

Rules of this file:

*   Nothing is written before the market has been judged. What cannot be written, or not be started
    from what was chosen, is refused at once, in one line, and leaves nothing behind.
*   Whatever is derived from a user's choices (paths, limits, supervisord's file) is judged here, so
    that no process has to find it out.
*   Limits of time come from this machine: a stall is measured before the session, and a heartbeat
    may be late by many of them before it counts, within the sources' 30 s.

Not here: the session itself (``runner``, ``session``).
"""

import os
import secrets
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dolphin.drills.plan import drills
from dolphin.feed.driver import WIND_DOWN_BARS
from dolphin.feed.market import plan as episodes_of
from dolphin.feed.panel import Panel, rows_needed
from dolphin.feed.session_market import BAR_MS, judged_market, lot_ppm_of
from dolphin.link.config import ANCHOR_KEY, PERMIT_KEY, VENUE_KEY, Config
from dolphin.link.permit import KEY_BYTES
from dolphin.ops.registry import Place, free_name
from dolphin.ops.supervise import Unsupervised, settings, unwritable
from dolphin.sensors.standins import STAND_INS
from kernel.constants import HEARTBEAT_MS_MAX
from traces.constants import limits_fault
from traces.journal import PREALLOCATE_BYTES

CASH = 25_000_000_000  # 25,000 USDT
STALL_S = 0.4
HEARTBEAT_MS_MIN = 2_500
HEARTBEAT_STALLS = 60
COOLING_MS = 1_000
CONFIRM_WINDOW_MS = 5_000
PERMIT_MS = 1_500
TICK_MS = 5
BARS_STEP = 50
BARS_MAX = 1_000_000  # of a generated market: two years of minutes
STALE_BARS = 2.5
# What a session writes before its journal grows: the journal's first piece, keys, logs.
ROOM_BYTES = PREALLOCATE_BYTES + (1 << 20)


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


def too_long(choices: Choices) -> str:
    """Return why a generated market of so many bars is refused, or the empty text.

    It is made whole before anything starts, so without a limit a slip of a finger takes hours or
    the machine's memory.
    """
    bars = choices.bars + lead_of(choices)
    if choices.data is not None or bars <= BARS_MAX:
        return ""
    return (
        f"--bars {choices.bars}, --windows to {max(choices.windows)}: a generated market of "
        f"{bars} bars; expected at most {BARS_MAX}, history for the windows included"
    )


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


def _no_folder(path: Path) -> str:
    """Return what a path that is taken and is no folder is."""
    if path.is_symlink():
        leads = "a file" if path.exists() else "nothing"
        return f"is a link that leads to {leads} ({path.readlink()})"
    return "is no folder"


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
    try:
        out = choices.out.resolve()
        if fault := unwritable(str(out)):
            raise Unwritable(f"--out {str(out)!a}: this path {fault}; expected another folder")
        if (out.exists() or choices.out.is_symlink()) and not out.is_dir():
            raise Unwritable(f"--out {choices.out}: {_no_folder(choices.out)}; expected a folder")
        made = _missing(out)
    except OSError as error:
        raise Unwritable(f"--out {choices.out}: cannot be written ({error.strerror})") from None
    except RuntimeError:  # what pathlib makes of links that go round
        raise Unwritable(f"--out {choices.out}: a link that leads to itself") from None
    folder: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        wanted = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{choices.profile}-{choices.seed}"
        with place.naming():
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
        path.write_text(secrets.token_hex(KEY_BYTES) + "\n")
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
