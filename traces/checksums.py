"""CRC, hash chain and keyed MAC: against accidents, reordering and forgery.

*   CRC-32C finds accidents: a flipped bit, a torn write. Anyone can compute it.
*   The chain, BLAKE2b-128 over the chain value before and this record's bytes, finds a record that
    is missing, doubled or moved. Anyone can compute it.
*   The anchor, BLAKE2b-256 keyed, over the chain's head: only who has the key can compute it, so
    it finds a forger who computed all the rest again.

Rules of this file: no state, no I/O but ``load_key``. The key is kept outside the journal, in a
file of its own (``--key``, or the environment's ``DOLPHIN_ANCHOR_KEY`` names that file): 32 to 64
bytes as hexadecimal text.

Domains are kept apart by BLAKE2b's ``person``, so an anchor is never also a closing mark.
Costs (design 7): CRC 59 ns, BLAKE2b 323 ns per 128 bytes.
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

import google_crc32c

CHAIN_BYTES: Final[int] = 16
DIGEST_BYTES: Final[int] = 16
MAC_BYTES: Final[int] = 32
KEY_BYTES_MIN: Final[int] = 32
KEY_BYTES_MAX: Final[int] = 64
KEY_FILE_BYTES_MAX: Final[int] = 4096  # a device has no end, and a key is never longer
KEY_VARIABLE: Final[str] = "DOLPHIN_ANCHOR_KEY"

_SEQUENCE_BYTES: Final[int] = 8


class KeyUnusable(Exception):
    """The anchor's key cannot be read; the message names the file and what was expected."""


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of ``data``."""
    value: int = google_crc32c.value(data)
    return value


# A copy of a begun hash costs less than half of a new one.
_CHAIN: Final = hashlib.blake2b(digest_size=CHAIN_BYTES, person=b"dolphin-chain")
_STATE: Final = hashlib.blake2b(digest_size=DIGEST_BYTES, person=b"dolphin-state")


# JNL-005
def chain(previous: bytes, data: bytes) -> bytes:
    """Return the chain value after ``data``, 16 bytes; ``previous`` is the value before."""
    whole = _CHAIN.copy()
    whole.update(previous)
    whole.update(data)
    return whole.digest()


# JNL-014
def digest(data: bytes) -> bytes:
    """Return the digest of a state's canonical bytes, 16 bytes."""
    whole = _STATE.copy()
    whole.update(data)
    return whole.digest()


def _mac(key: bytes, head: bytes, sequence: int, person: bytes) -> bytes:
    message = head + sequence.to_bytes(_SEQUENCE_BYTES, "little")
    return hashlib.blake2b(message, digest_size=MAC_BYTES, key=key, person=person).digest()


# JNL-020, JNL-021
def anchor_mac(key: bytes, head: bytes, sequence: int) -> bytes:
    """Return the MAC of an anchor: over the chain value before it and its own sequence number."""
    return _mac(key, head, sequence, b"dolphin-anchor")


# JNL-020, JNL-021
def closing_mac(key: bytes, head: bytes, sequence: int) -> bytes:
    """Return the MAC of a closing record, as ``anchor_mac`` and never equal to it."""
    return _mac(key, head, sequence, b"dolphin-close")


def key_id(key: bytes) -> str:
    """Return the key's name, which does not give it away: which key a journal was anchored with."""
    return hashlib.blake2b(key, digest_size=8, person=b"dolphin-keyid").hexdigest()


def same(a: bytes, b: bytes) -> bool:
    """Return whether two MACs are equal, in constant time."""
    return hmac.compare_digest(a, b)


# JNL-023
def number_of(text: str, most: int) -> int:
    """Return the number in 1..``most`` that stands for an operator's words in an event.

    The kernel takes numbers; the words stand beside the event in a NOTE. The number is a hash of
    the words, so a note that says something else does not fit its event.
    """
    whole = hashlib.blake2b(text.encode(), digest_size=8, person=b"dolphin-words").digest()
    return 1 + int.from_bytes(whole, "little") % most


# JNL-039
def load_key(path: Path) -> bytes:
    """Read an anchor key: hexadecimal text of 32 to 64 bytes. Raises ``KeyUnusable``."""
    try:
        with path.open("rb") as file:
            text = file.read(KEY_FILE_BYTES_MAX).decode("ascii").strip()
        key = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not hexadecimal text"
        raise KeyUnusable(f"{path}: {reason}; expected 64 to 128 hexadecimal digits") from None
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise KeyUnusable(f"{path}: a key of {len(key)} bytes; expected 32 to 64 as hexadecimal")
    return key


def find_key(path: Path | None = None) -> bytes | None:
    """Return the key in ``path``, else in the file that the environment names, else None."""
    if path is not None:
        return load_key(path)
    named = os.environ.get(KEY_VARIABLE)
    return load_key(Path(named)) if named else None
