"""The session's configuration: one JSON file that every process reads at its start, and paths.

Rules of this file:

*   The runner writes it once, before the first process starts; nobody changes it after. It is read
    as strictly as a message: another field, a missing one, one twice, or another type is named.
*   Keys are not in it. They lie in ``keys/``, mode 0600, and only who needs one reads it.
*   Sockets lie in a short folder of their own (a Unix path holds 108 bytes), mode 0700.

Not here: how the runner chooses the values (``dolphin/ops/preparation.py``).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
from msgspec import Meta

from dolphin.link.codec import Integer, Number, Part, plain
from dolphin.link.permit import KEY_BYTES
from kernel.constants import Profile
from kernel.state import Limits

PERMIT_KEY = "permit.key"
VENUE_KEY = "venue.key"
ANCHOR_KEY = "anchor.key"
UNUSABLE = 2
FAULT_CHARACTERS_MAX = 400

Positive = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class BadConfig(Exception):
    """A file of the session cannot be used; one line names it and what was expected."""


class Config(Part):
    """A session's choices. Times in ms unless named otherwise, money in micro-USDT.

    ``symbols`` are the panel's, BTCUSDT first; an instrument's number is its position plus one.
    ``lot_ppm`` is how much of a coin is a lot, ppm, by symbol. ``bars`` are the panel's
    rows; the first ``lead_bars`` are history and not played. ``bar_ms`` is the panel's cadence.
    A ``demonstration`` runs other programs in the place of some (``dolphin/ops/supervise.py``).
    ``data`` None is the generated market. ``panel_sha256`` is the hash of the file that was judged,
    ``market_digest`` that of the market in it, which is the only one that may be played.
    """

    id: str
    folder: str
    sockets: str
    profile: Literal["bible", "specification"]
    seed: Integer
    windows: tuple[Positive, ...]
    data: str | None
    bars: Number
    lead_bars: Number
    bar_ms: Positive
    market_time_ms: Integer
    symbols: tuple[str, ...]
    lot_ppm: tuple[Positive, ...]
    cash: Integer
    heartbeat_limit_ms: tuple[Integer, Integer, Integer, Integer]
    cooling_ms: Integer
    confirm_window_ms: Integer
    bar_ms_min: Integer
    book_stale_ms: Integer
    permit_ms: Positive
    tick_ms: Positive
    deadline_ms: Positive
    stand_ins: dict[str, str]
    demonstration: bool
    panel_sha256: str = ""
    market_digest: str = ""

    @property
    def run(self) -> Path:
        """The session's folder."""
        return Path(self.folder)

    def socket(self, name: str) -> Path:
        """The path on which ``name`` is listened for, e.g. "kernel.alpha"."""
        return Path(self.sockets) / name

    # SHL-044, GRD-033
    @property
    def closed_paths(self) -> frozenset[str]:
        """The clients for whom kernel and guard open no path in this session."""
        return frozenset() if self.demonstration else frozenset({"prober"})

    # LNK-017
    def key(self, name: str) -> bytes:
        """The bytes of a key, by its file's name. Raises ``BadConfig``."""
        path = self.run / "keys" / name
        try:
            key = bytes.fromhex(path.read_text().strip())
        except OSError as error:
            raise BadConfig(f"{path}: no key can be read here ({error.strerror})") from error
        except ValueError as error:
            raise BadConfig(f"{path}: a key in hexadecimal digits expected") from error
        if len(key) != KEY_BYTES:  # an empty one would sign without a secret
            raise BadConfig(f"{path}: a key of {KEY_BYTES} bytes expected")
        return key

    # LNK-016
    def limits(self) -> Limits:
        """The kernel's limits. A replay is never live: market time may run ahead of ours."""
        return Limits(
            profile=Profile[self.profile.upper()],
            live=False,
            grid_in_use=False,
            heartbeat_limit_ms=self.heartbeat_limit_ms,
            cooling_ms=self.cooling_ms,
            confirm_window_ms=self.confirm_window_ms,
            bar_ms_min=self.bar_ms_min,
            book_stale_ms=self.book_stale_ms,
        )

    # LNK-016
    def save(self) -> None:
        """Write the file, readable by this user alone. Raises ``BadConfig``, ``OSError``."""
        path = self.run / "config.json"
        try:
            data = msgspec.json.encode(self)
        except UnicodeEncodeError:
            raise BadConfig(
                f"{str(path)!a}: every path of a session in UTF-8 expected, and one is not"
            ) from None
        path.write_bytes(msgspec.json.format(data, indent=1) + b"\n")
        path.chmod(0o600)


# LNK-017
def load(folder: str | os.PathLike[str]) -> Config:
    """Return the configuration of the session in ``folder``. Raises ``BadConfig``."""
    path = Path(folder) / "config.json"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadConfig(f"{path}: no configuration can be read here ({error.strerror})") from error
    try:
        config = msgspec.json.decode(data, type=Config)
        again = msgspec.json.format(data, indent=-1)
    except (msgspec.DecodeError, RecursionError) as error:
        fault = plain(str(error), FAULT_CHARACTERS_MAX)
        raise BadConfig(f"{path}: the fields of a session expected ({fault})") from error
    if again != msgspec.json.encode(config):
        raise BadConfig(f"{path}: each field once, in the order in which it was saved, expected")
    return config


# LNK-030
def folder_named(process: str, words: Sequence[str]) -> str:
    """Return the folder that a command line names, or end ``process`` with one line."""
    if len(words) != 2:
        unusable(process, "the folder of a session expected, and nothing else")
    return words[1]


# LNK-030
def configured(process: str, words: Sequence[str]) -> Config:
    """Return the configuration that a command line names, or end ``process`` with one line."""
    try:
        return load(folder_named(process, words))
    except BadConfig as error:
        unusable(process, str(error))


def unusable(process: str, fault: str) -> NoReturn:
    """End ``process``: a new start would find the same. ``fault`` is one line."""
    sys.stderr.write(f"{process}: {fault}\n")
    sys.exit(UNUSABLE)
