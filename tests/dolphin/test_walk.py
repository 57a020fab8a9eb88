"""A price walks from the panel to a fill, and every word on the way is encoded once.

Theory. The processes are the real ones (kernel, guard, venue, the driver's hub), on real sockets
and a real journal, all in this thread: whoever asks here lets each of them take a step first. Each
call of the encoder and each message that a socket takes is counted; the two must be the same bags.

Not here: a walk in a running session (tests/dolphin/ops), its price (``dolphin bench``).
"""

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dolphin.feed.driver import Hub, played
from dolphin.feed.panel import Bar, Panel
from dolphin.feed.session_market import load_market, lot_ppm_of, price_of
from dolphin.guard import __main__ as guard_process
from dolphin.guard.__main__ import GuardProcess
from dolphin.link import codec
from dolphin.link.channel import Channel
from dolphin.link.client import Client
from dolphin.link.codec import Message
from dolphin.link.loop import Loop
from dolphin.link.messages import (
    BARS,
    FROM_ALPHA,
    FROM_GUARD,
    KERNEL_ANSWERS,
    VENUE_ANSWERS,
    Accepted,
    Passed,
    PlayBar,
    PresentPermit,
    SetPrices,
    UpdateMark,
)
from dolphin.shell.__main__ import Kernel
from dolphin.venue import __main__ as venue_process
from dolphin.venue.__main__ import VenueProcess
from tests.dolphin.said import DEADLINE_S, said
from tests.dolphin.shell.conftest import Rig
from tests.dolphin.shell.test_process import config_in

# What carries a price over a border, or what is asked for and answered because of it.
WALK = (
    "SetPrices",  # driver to venue
    "UpdateMark",  # driver to kernel
    "PlayBar",  # driver to alpha
    "RequestOrder",  # alpha to kernel
    "Issued",  # kernel to guard
    "PresentPermit",  # alpha to guard
    "Submit",  # guard to venue
    "Passed",  # guard to alpha
    "Filled",  # venue to guard
    "ReportFill",  # guard to kernel
)


class Steps(Loop):
    """The loop of who asks here: the other processes step before each of its turns."""

    def __init__(self, *processes: Kernel | GuardProcess | VenueProcess) -> None:
        super().__init__()
        self.processes = processes

    def turn(self, until: float, hears: bool = True) -> None:
        for one in self.processes:
            one.step()
        super().turn(min(until, time.monotonic()), hears)

    def until(self, what: Callable[[], Any]) -> Any:
        end = time.monotonic() + DEADLINE_S
        while not (found := what()):
            assert time.monotonic() < end, "it never came about"
            self.turn(0.0)
        return found


def kinds(encoded: Counter[bytes]) -> Counter[str]:
    """Return how often a message of each class was encoded."""
    found: Counter[str] = Counter()
    for data, count in encoded.items():
        found[msgspec.json.decode(data)["type"]] += count
    return found


@pytest.fixture
def market() -> Panel:
    """A generated market."""
    return load_market(None, 7, 600, 1, isolated=False)


@pytest.fixture
def kernel(tmp_path: Path, market: Panel) -> Iterator[Kernel]:
    """A kernel in APEX whose worker 0 has claimed the first instrument."""
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    config = msgspec.structs.replace(
        config_in(tmp_path, sockets),
        symbols=market.symbols,
        lot_ppm=tuple(lot_ppm_of(market)),
        tick_ms=1,
    )
    made = Kernel(config)
    made.begin()
    rig = Rig()
    rig.shell = made.shell
    rig.to_apex()
    yield made
    made.end()
    made.loop.close()
    shutil.rmtree(sockets)


@pytest.mark.req("LNK-027")
def test_control_a_counted_walk_encodes_each_message_once_at_each_border(
    kernel: Kernel, market: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = kernel.config
    for module in (guard_process, venue_process):
        monkeypatch.setattr(module, "TURN_S", 0.0)
    venue, guard = VenueProcess(config), GuardProcess(config)
    hub = Hub(config, {"alpha": FROM_ALPHA}, lambda: None)
    loop = Steps(kernel, guard, venue)
    driver = Client(loop, config.socket("kernel.driver"), KERNEL_ANSWERS, DEADLINE_S)
    prices = Client(loop, config.socket("venue.driver"), VENUE_ANSWERS, DEADLINE_S)
    alpha = Client(loop, config.socket("kernel.alpha"), KERNEL_ANSWERS, DEADLINE_S)
    orders = Client(loop, config.socket("guard.alpha"), FROM_GUARD, DEADLINE_S)
    bars = Client(loop, config.socket("driver.alpha"), BARS, DEADLINE_S)
    hub.pump(0.0)
    loop.until(lambda: guard.guard.epoch >= 0 and guard.guard.counts == {} and hub.there("alpha"))
    loop.until(lambda: venue.guard.channels and not kernel.shell.to_guard)

    encoded: Counter[bytes] = Counter()
    sent: Counter[bytes] = Counter()
    encode, send = codec.encode, Channel.send

    def counted(message: Message) -> bytes:
        data = encode(message)
        encoded[data] += 1
        return data

    def watched(channel: Channel, data: bytes) -> bool:
        taken = send(channel, data)
        sent[data] += taken
        return taken

    for name, module in list(sys.modules.items()):
        if name.startswith("dolphin.") and getattr(module, "encode", None) is encode:
            monkeypatch.setattr(module, "encode", counted)
    monkeypatch.setattr(Channel, "send", watched)

    bar: Bar = market.bar(500)
    price = price_of(bar.closes[0], config.lot_ppm[0])
    assert price is not None
    assert prices.ask(SetPrices(bar=bar.index, prices={1: price}), DEADLINE_S)
    assert driver.ask(UpdateMark(instrument=1, price=price), DEADLINE_S) == Accepted(id=1)
    hub.put("alpha", played(bar))
    heard = loop.until(bars.hear)
    assert isinstance(heard, PlayBar)
    assert heard.closes[0] == bar.closes[0]
    answer = alpha.ask(said("RequestOrder", quantity=100), DEADLINE_S)
    assert isinstance(answer, Accepted)
    assert answer.permit is not None, "in APEX an entry is permitted"
    assert isinstance(orders.ask(PresentPermit(permit=answer.permit), DEADLINE_S), Passed)
    later = SetPrices(bar=bar.index + 1, prices={1: price})
    assert prices.ask(later, DEADLINE_S)
    loop.until(lambda: kernel.shell.state.gate.slots[0].quantity == -100)

    # What is on its way leaves: then no word was encoded twice, or for nothing.
    loop.until(lambda: not (kernel.shell.to_guard or guard.kernel.outbox or guard.venue.outbox))
    loop.until(lambda: not venue.guard.outbox)
    assert encoded == sent
    found = kinds(encoded)
    assert {name: found[name] for name in WALK} == dict.fromkeys(WALK, 1) | {"SetPrices": 2}
    for one in (guard, venue, hub):
        one.loop.close()
    loop.close()
