"""A permit's MAC to the byte: text, key, length and purpose, written down once more.

Not here: what is no permit (``test_permit``).
"""

from hashlib import blake2b

import pytest

from dolphin.link.permit import KEY_BYTES, MAC_BYTES, Permit, mac_of, permit_of, token_of

TEXT = (
    b"permit_id=7|epoch=3|worker=2|instrument=9|side=-1|reduce_only=0|market=1|quantity=40"
    b"|limit_price=0|kind=1|expires_ns=123456789"
)


def permit() -> Permit:
    return Permit(7, 3, 2, 9, -1, False, True, 40, 0, 1, 123_456_789)


@pytest.mark.req("GRD-001")
def test_a_key_has_256_bits_and_a_mac_128() -> None:
    assert (KEY_BYTES, MAC_BYTES) == (32, 16)
    assert len(bytes.fromhex(mac_of(permit(), bytes(KEY_BYTES)))) == 16


@pytest.mark.req("GRD-001")
@pytest.mark.parametrize("key", [bytes(range(32)), bytes(32)], ids=["counting", "zeros"])
def test_mac_of_is_keyed_blake2b_over_every_field_by_name(key: bytes) -> None:
    expected = blake2b(TEXT, key=key, digest_size=16, person=b"permit").hexdigest()
    assert mac_of(permit(), key) == expected


@pytest.mark.req("GRD-001", "GRD-002")
def test_a_token_that_was_signed_elsewhere_by_the_same_rule_is_the_permit() -> None:
    key = bytes(range(32))
    mac = blake2b(TEXT, key=key, digest_size=16, person=b"permit").hexdigest()
    token = {
        name: int(value)
        for name, value in (each.split("=") for each in TEXT.decode().split("|"))
    } | {"reduce_only": False, "market": True}  # fmt: skip
    assert token_of(permit(), key) == token | {"mac": mac}
    assert permit_of(token | {"mac": mac}, key) == permit()
