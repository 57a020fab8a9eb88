"""The session's configuration: one JSON file that every process reads at its start, and paths.

Rules of this file:

*   The runner writes it once, before the first process starts; nobody changes it after.
*   Keys are not in it. They lie in ``keys/``, mode 0600, and only who needs one reads it.
*   Sockets lie in a short folder of their own (a Unix path holds 108 bytes), mode 0700.

Not here: how the runner chooses the values (``dolphin/drills/plan.py``,
``dolphin/ops/session.py``).
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kernel.constants import Profile
from kernel.state import Limits

PERMIT_KEY = "permit.key"
VENUE_KEY = "venue.key"
ANCHOR_KEY = "anchor.key"


class BadConfig(Exception):
    """A file of the session cannot be used; one line names it and what was expected."""


@dataclass(frozen=True)
class Config:
    """A session's choices. Times in ms unless named otherwise, money in micro-USDT.

    ``symbols`` are the panel's, BTCUSDT first; an instrument's number is its position plus one.
    ``lot_ppm`` is how much of a coin is a lot, ppm, by symbol. ``bars`` are the panel's
    rows; the first ``lead_bars`` are history and not played. ``bar_ms`` is the panel's cadence.
    ``data`` None is the generated market. ``panel_sha256`` is the hash of the file that was judged,
    ``market_digest`` that of the market in it, which is the only one that may be played.
    """

    id: str
    folder: str
    sockets: str
    profile: str
    seed: int
    windows: list[int]
    data: str | None
    bars: int
    lead_bars: int
    bar_ms: int
    market_time_ms: int
    symbols: list[str]
    lot_ppm: list[int]
    cash: int
    heartbeat_limit_ms: list[int]
    cooling_ms: int
    confirm_window_ms: int
    bar_ms_min: int
    book_stale_ms: int
    permit_ms: int
    tick_ms: int
    deadline_ms: int
    stand_ins: dict[str, str]
    drills: bool
    panel_sha256: str = ""
    market_digest: str = ""

    @property
    def run(self) -> Path:
        """The session's folder."""
        return Path(self.folder)

    def socket(self, name: str) -> Path:
        """The path on which ``name`` is listened for, e.g. "kernel.alpha"."""
        return Path(self.sockets) / name

    # LNK-017
    def key(self, name: str) -> bytes:
        """The bytes of a key, by its file's name. Raises ``BadConfig``."""
        path = self.run / "keys" / name
        try:
            return bytes.fromhex(path.read_text().strip())
        except OSError as error:
            raise BadConfig(f"{path}: no key can be read here ({error.strerror})") from error
        except ValueError as error:
            raise BadConfig(f"{path}: a key in hexadecimal digits expected") from error

    # LNK-016
    def limits(self) -> Limits:
        """The kernel's limits. A replay is never live: market time may run ahead of ours."""
        beats = self.heartbeat_limit_ms
        return Limits(
            profile=Profile[self.profile.upper()],
            live=False,
            grid_in_use=False,
            heartbeat_limit_ms=(beats[0], beats[1], beats[2], beats[3]),
            cooling_ms=self.cooling_ms,
            confirm_window_ms=self.confirm_window_ms,
            bar_ms_min=self.bar_ms_min,
            book_stale_ms=self.book_stale_ms,
        )

    # LNK-016
    def save(self) -> None:
        """Write the file, readable by this user alone."""
        path = self.run / "config.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")
        path.chmod(0o600)


# LNK-017
def load(folder: str | os.PathLike[str]) -> Config:
    """Return the configuration of the session in ``folder``. Raises ``BadConfig``."""
    path = Path(folder) / "config.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        return Config(**document)
    except OSError as error:
        raise BadConfig(f"{path}: no configuration can be read here ({error.strerror})") from error
    except ValueError as error:
        raise BadConfig(f"{path}: a JSON object expected ({error})") from error
    except TypeError as error:
        raise BadConfig(f"{path}: the fields of a session expected ({error})") from error
