"""Bytes and messages: one spelling, strict types, a reason for the rest, and nothing that raises.

Not here: sockets (``test_channel``), kernel events (``test_events``), real processes under such
bytes (``test_thrown``).
"""

from functools import reduce
from operator import or_

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dolphin.link import codec
from dolphin.link.codec import MESSAGE_BYTES_MAX, Unreadable, encode, plain
from dolphin.link.messages import (
    TO_GUARD,
    TO_KERNEL,
    AskStatus,
    CloseBar,
    Order,
    RequestOrder,
    TripKillSwitch,
)
from tests.dolphin.link.near import KINDS, thrown, whole

ORDER = Order(
    worker=0, instrument=1, side=-1, reduce_only=False, market=True, quantity=100, limit_price=0,
    leverage_ppm=1_000_000,
)  # fmt: skip
ANY: codec.Codec[codec.Message] = codec.Codec(reduce(or_, KINDS))

BAR = b'{"type":"CloseBar","market_time_ms":5}'
# What is refused, and what the reason names.
REJECTED = [
    (b"", "truncated"),
    (b"{", "truncated"),
    (b"[1]", "`object`"),
    (b"null", "`object`"),
    (b"17", "`object`"),
    (b"\xff\xfe", "malformed"),
    (b'{"type":"CloseBar","market_time_ms":5}x', "trailing"),
    (b"{}", "`type`"),
    (b'{"type":"Obey"}', "'Obey'"),
    (b'{"type":7}', "`$.type`"),
    (b'{"type":"CloseBar"}', "`market_time_ms`"),
    (b'{"type":"CloseBar","market_time_ms":5,"more":1}', "`more`"),
    (b'{"type":"CloseBar","market_time_ms":true}', "`bool`"),
    (b'{"type":"CloseBar","market_time_ms":5.0}', "`float`"),
    (b'{"type":"CloseBar","market_time_ms":"5"}', "`str`"),
    (b'{"type":"CloseBar","market_time_ms":null}', "`null`"),
    (b'{"type":"CloseBar","market_time_ms":NaN}', "malformed"),
    (b'{"type":"CloseBar","market_time_ms":-Infinity}', "malformed"),
    (b'{"type":"CloseBar","market_time_ms":9223372036854775808}', "9223372036854775807"),
    (b'{"type":"CloseBar","market_time_ms":-9223372036854775809}', "-9223372036854775808"),
    (b'{"type":"CloseBar","market_time_ms":5,"show":1}', "`$.show`"),
    (b'{"type":"CloseBar","market_time_ms":5,"id":-1}', "`$.id`"),
    (b'{"type":"TripKillSwitch","cause":3,"who":"a","why":"\xff"}', "UTF-8"),
    (b'{"type":"TripKillSwitch","cause":3,"who":"a","why":"\xed\xa0\x80"}', "UTF-8"),
    (b'{"type":"TripKillSwitch","cause":3,"who":"a","why":"\\ud800"}', "truncated"),
    (b'{"type":"TripKillSwitch","cause":3,"who":"a","why":"' + b"x" * 401 + b'"}', "<= 400"),
    (b'{"z":' + b"[" * 60_000, "recursion"),
    (b"x" * (MESSAGE_BYTES_MAX + 1), "at most 65536 bytes"),
    # Read by msgspec, and not the one spelling: a key twice, a blank, another order, an escape.
    (b'{"type":"CloseBar","market_time_ms":5,"market_time_ms":6}', "one spelling"),
    (b'{"type":"CloseBar", "market_time_ms":5}', "one spelling"),
    (b'{"market_time_ms":5,"type":"CloseBar"}', "one spelling"),
    (b'{"type":"CloseBar","market_time_ms":5,"show":false}', "one spelling"),
    (b'{"type":"TripKillSwitch","cause":3,"who":"\\u0061","why":"b"}', "one spelling"),
]  # fmt: skip


@pytest.mark.req("LNK-002", "LNK-020", "LNK-021")
@pytest.mark.parametrize(("data", "names"), REJECTED, ids=range(len(REJECTED)))
def test_what_is_no_message_is_refused_with_what_was_expected(data: bytes, names: str) -> None:
    heard = TO_KERNEL.decode(data)
    assert isinstance(heard, Unreadable)
    assert names in heard.expected
    assert len(heard.expected) <= 200
    assert heard.data == data


@pytest.mark.req("LNK-002", "LNK-020")
def test_what_is_one_comes_back() -> None:
    assert TO_KERNEL.decode(BAR) == CloseBar(market_time_ms=5)
    assert encode(CloseBar(market_time_ms=5)) == BAR
    order = RequestOrder(order=ORDER, id=7)
    assert TO_KERNEL.decode(encode(order)) == order
    assert TO_KERNEL.decode(encode(TripKillSwitch(cause=3, who="ü", why="\U0001f6a8"))) == (
        TripKillSwitch(cause=3, who="ü", why="\U0001f6a8")
    )


@pytest.mark.req("LNK-020")
def test_a_reader_takes_its_own_messages_alone() -> None:
    heard = TO_GUARD.decode(BAR)
    assert isinstance(heard, Unreadable)
    assert "'CloseBar'" in heard.expected


@pytest.mark.req("LNK-021")
@pytest.mark.parametrize(
    ("data", "number"),
    [
        (b'{"type":"Obey","id":9}', 9),
        (b'{"id":9}', 9),
        (b'{"type":"CloseBar","market_time_ms":"x","id":12}', 12),
        (b'{"type":"Obey"}', 0),
        (b'{"type":"Obey","id":true}', 0),
        (b'{"type":"Obey","id":-4}', 0),
        (b'{"id":9', 0),
        (b"[9]", 0),
        (b'{"z":' + b"[" * 60_000, 0),
    ],
    ids=range(9),
)
def test_the_number_of_what_cannot_be_read_is_found_where_there_is_one(
    data: bytes, number: int
) -> None:
    heard = TO_KERNEL.decode(data)
    assert isinstance(heard, Unreadable)
    assert heard.id == number


@pytest.mark.req("LNK-003")
def test_a_message_that_nobody_would_take_is_not_encoded() -> None:
    frame = len(encode(TripKillSwitch(cause=3, who="", why="")))
    longest = TripKillSwitch(cause=3, who="", why="x" * (65_536 - frame))
    assert len(encode(longest)) == MESSAGE_BYTES_MAX == 65_536
    with pytest.raises(ValueError, match=r"^message of 65537 bytes, at most 65536 pass$"):
        encode(TripKillSwitch(cause=3, who="x", why=longest.why))


@pytest.mark.req("LNK-022")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", "plain"),
        ("Märkte \U0001f6a8", "Märkte \U0001f6a8"),
        ("M\udce4rkte", "M\\udce4rkte"),
        (b"M\xe4rkte", "M\\xe4rkte"),
        ("x" * 50, "x" * 20),
        (b"\xff" * 50, "\\xff" * 5),
        ("", ""),
    ],
)
def test_any_text_becomes_one_that_a_message_can_carry(text: str | bytes, said: str) -> None:
    found = plain(text, 20)
    assert found == said
    assert isinstance(
        ANY.decode(encode(TripKillSwitch(cause=3, who="", why=found))), TripKillSwitch
    )


@pytest.mark.random
@given(whole())
def test_every_message_comes_back(message: codec.Message) -> None:
    assert ANY.decode(encode(message)) == message


@pytest.mark.random
@given(thrown())
@example(b'{"type":' + b"[" * 60_000)
def test_no_bytes_raise_and_what_is_read_has_one_spelling(data: bytes) -> None:
    heard = ANY.decode(data)
    assert isinstance(heard, Unreadable) or encode(heard) == data


@pytest.mark.random
@given(st.one_of(st.text(), st.binary(), st.characters(categories=["Cs"])), st.integers(0, 50))
def test_no_text_is_too_odd_to_be_carried(text: str | bytes, most: int) -> None:
    found = plain(text, most)
    assert len(found) <= most
    encode(TripKillSwitch(cause=3, who=found, why=""))


def test_control_a_message_is_frozen() -> None:
    with pytest.raises(AttributeError):
        AskStatus().id = 3  # type: ignore[misc]  # it is frozen: that is asked
