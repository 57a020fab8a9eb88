"""A permit is what the kernel signed, to the byte, or it is none."""

from hashlib import blake2b
from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.link.messages import Order, Permit, Token
from dolphin.link.permit import KEY_BYTES, MAC_BYTES, mac_of, permit_of, token_of

KEY, OTHER = bytes(range(32)), bytes(32)
ORDER = Order(
    worker=2, instrument=9, side=-1, reduce_only=False, market=True, quantity=40, limit_price=0,
    leverage_ppm=1_000_000,
)  # fmt: skip
PERMIT = Permit(permit_id=7, epoch=3, order=ORDER, kind=1, expires_ns=123_456_789)
TEXT = (
    b"permit_id=7|epoch=3|kind=1|expires_ns=123456789|order.worker=2|order.instrument=9"
    b"|order.side=-1|order.reduce_only=0|order.market=1|order.quantity=40|order.limit_price=0"
    b"|order.leverage_ppm=1000000"
)

MAC = mac_of(PERMIT, KEY)


@pytest.mark.req("GRD-001")
def test_a_token_comes_back_as_its_permit() -> None:
    assert permit_of(token_of(PERMIT, KEY), KEY) == PERMIT


@pytest.mark.req("GRD-001")
def test_a_key_has_256_bits_and_a_mac_128() -> None:
    assert (KEY_BYTES, MAC_BYTES) == (32, 16)
    assert len(bytes.fromhex(mac_of(PERMIT, bytes(KEY_BYTES)))) == 16


@pytest.mark.req("GRD-001", "GRD-002")
@pytest.mark.parametrize("key", [KEY, OTHER], ids=["counting", "zeros"])
def test_the_mac_is_keyed_blake2b_over_every_field_by_name(key: bytes) -> None:
    mac = blake2b(TEXT, key=key, digest_size=16, person=b"permit").hexdigest()
    assert mac_of(PERMIT, key) == mac
    assert permit_of(Token(permit=PERMIT, mac=mac), key) == PERMIT


def moved(part: Any, name: str) -> Any:
    """Return a permit or an order whose one field is another."""
    value = getattr(part, name)
    return replace(part, **{name: not value if type(value) is bool else value + 1})


ALTERED = [
    *(moved(PERMIT, name) for name in Permit.__struct_fields__ if name != "order"),
    *(replace(PERMIT, order=moved(ORDER, name)) for name in Order.__struct_fields__),
]


@pytest.mark.req("GRD-001")
@pytest.mark.parametrize("altered", ALTERED, ids=str)
def test_every_field_is_covered(altered: Permit) -> None:
    assert permit_of(Token(permit=altered, mac=mac_of(PERMIT, KEY)), KEY) is None


@pytest.mark.req("GRD-002")
@pytest.mark.parametrize(
    "mac",
    [mac_of(PERMIT, OTHER), "", "0" * 32, mac_of(PERMIT, KEY).upper(), mac_of(PERMIT, KEY)[1:]],
)
def test_another_mac_is_none(mac: str) -> None:
    assert permit_of(Token(permit=PERMIT, mac=mac), KEY) is None
