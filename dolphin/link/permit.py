"""The permit: the kernel's signed authorisation of one order, verified by the order guard.

Rules of this file:

*   A permit is integers and booleans in a fixed order; its MAC is BLAKE2b over their decimal text,
    keyed. A field that is not covered does not exist.
*   The key lies in a file of mode 0600 that kernel and guard read, nobody else. On a machine
    without separate users that is a rule of the house, not of the machine; the evidence says so.
*   ``expires_ns`` is CLOCK_MONOTONIC of this host, in nanoseconds: one clock for signer and judge.

Not here: who judges it (``dolphin/guard/guard.py``). Spec module: Mesh (later).
"""

import hmac
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from typing import Any

MAC_BYTES = 16
KEY_BYTES = 32


@dataclass(frozen=True)
class Permit:
    """One order that may pass, once. ``side`` is +1 or -1, ``quantity`` in lots.

    ``limit_price`` is 0 for a market order; ``kind`` is ``kernel.constants.Permit``.
    """

    permit_id: int
    epoch: int
    worker: int
    instrument: int
    side: int
    reduce_only: bool
    market: bool
    quantity: int
    limit_price: int
    kind: int
    expires_ns: int


_FIELDS = tuple(field.name for field in fields(Permit))


# GRD-001
def mac_of(permit: Permit, key: bytes) -> str:
    """Return the permit's MAC under ``key``, hex."""
    text = "|".join(f"{name}={int(getattr(permit, name))}" for name in _FIELDS)
    return blake2b(text.encode(), key=key, digest_size=MAC_BYTES, person=b"permit").hexdigest()


def token_of(permit: Permit, key: bytes) -> dict[str, Any]:
    """Return the token: the permit's fields and its MAC."""
    return asdict(permit) | {"mac": mac_of(permit, key)}


# GRD-002
def permit_of(token: object, key: bytes) -> Permit | None:
    """Return the permit that ``token`` carries, None where it is not one the kernel signed."""
    if not isinstance(token, dict) or token.keys() != {*_FIELDS, "mac"}:
        return None
    if not all(type(token[name]) in (int, bool) for name in _FIELDS):
        return None
    if not isinstance(token["mac"], str):
        return None
    permit = Permit(**{name: token[name] for name in _FIELDS})
    if not hmac.compare_digest(mac_of(permit, key).encode(), token["mac"].encode()):
        return None
    return permit
