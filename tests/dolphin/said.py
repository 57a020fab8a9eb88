"""Messages by a few words: what tests say to a kernel, and how they hear its answers.

Rules of this file: ``said("CloseBar", market_time_ms=5)`` is the message of that name. An order's
facts may be given flat; an operator's words may be left out. ``Heard`` is a channel whose words are
read as one of its kind would read them.
"""

from pathlib import Path
from typing import Any, get_args

from dolphin.link import messages
from dolphin.link.channel import Channel
from dolphin.link.client import Client
from dolphin.link.codec import Codec, Message, encode
from dolphin.link.loop import Loop
from dolphin.link.messages import KERNEL_ANSWERS, TO_GUARD, Order, Spoken

DEADLINE_S = 10.0
ORDER = Order(
    worker=0, instrument=1, side=-1, reduce_only=False, market=True, quantity=100, limit_price=0,
    leverage_ppm=1_000_000,
)  # fmt: skip


def said(name: str, **fields: Any) -> Any:
    """Return the message ``name`` with these fields."""
    kind = getattr(messages, name)
    if kind in get_args(Spoken):
        fields = {"who": "t", "why": "w"} | fields
    if name == "RequestOrder" and "order" not in fields:
        beside = {key: fields.pop(key) for key in ("id",) if key in fields}
        facts = {key: getattr(ORDER, key) for key in Order.__struct_fields__} | fields
        fields = beside | {"order": Order(**facts)}
    return kind(**fields)


def client_of(path: Path, codec: Codec[Any]) -> Client[Any]:
    """Return a client of who listens at ``path``, on a loop of its own."""
    return Client(Loop(), path, codec, DEADLINE_S)


class Heard:
    """A connected channel and what its words are read with."""

    def __init__(self, channel: Channel, codec: Codec[Any]) -> None:
        self.channel = channel
        self.codec = codec

    def send(self, message: Message | bytes) -> bool:
        return self.channel.send(message if isinstance(message, bytes) else encode(message))

    def recv(self) -> Any:
        data = self.channel.recv()
        return None if data is None else self.codec.decode(data)

    def fileno(self) -> int:
        return self.channel.fileno()

    def close(self) -> None:
        self.channel.close()


def answers_of(role: str) -> Codec[Any]:
    """Return what a role hears the kernel with."""
    return TO_GUARD if role == "guard" else KERNEL_ANSWERS
