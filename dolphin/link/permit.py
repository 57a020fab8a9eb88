"""The permit's MAC: the kernel signs an order, a worker carries it, the order guard verifies it.

Rules of this file:

*   A permit is integers and booleans in a fixed order (``messages.Permit``, its order's facts among
    them); its MAC is BLAKE2b over their decimal text, keyed. A field that is not covered does not
    exist.
*   The key lies in a file of mode 0600 that kernel and guard read, nobody else. On a machine
    without separate users that is a rule of the house, not of the machine; the evidence says so.
*   ``expires_ns`` is CLOCK_MONOTONIC of this host, in nanoseconds: one clock for signer and judge.

Not here: who judges it (``dolphin/guard/guard.py``). Spec module: Mesh (later).
"""

import hmac
from hashlib import blake2b
from operator import attrgetter

from dolphin.link.messages import Order, Permit, Token

MAC_BYTES = 16
KEY_BYTES = 32

_OWN = tuple(name for name in Permit.__struct_fields__ if name != "order")
_NAMES = (*_OWN, *(f"order.{name}" for name in Order.__struct_fields__))
_values = attrgetter(*_NAMES)
_TEXT = "|".join(f"{name}=%d" for name in _NAMES)


# GRD-001
def mac_of(permit: Permit, key: bytes) -> str:
    """Return the permit's MAC under ``key``, hex."""
    text = _TEXT % _values(permit)
    return blake2b(text.encode(), key=key, digest_size=MAC_BYTES, person=b"permit").hexdigest()


def token_of(permit: Permit, key: bytes) -> Token:
    """Return the token: the permit and its MAC."""
    return Token(permit=permit, mac=mac_of(permit, key))


# GRD-002
def permit_of(token: Token, key: bytes) -> Permit | None:
    """Return the permit that ``token`` carries, None where it is not one the kernel signed."""
    good = hmac.compare_digest(mac_of(token.permit, key).encode(), token.mac.encode())
    return token.permit if good else None
