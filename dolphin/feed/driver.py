"""The feed driver: sends each bar to every process, one bar at a time, and sets market time.

``python -m dolphin.feed RUN_FOLDER``.

Rules of this file:

*   The order within a bar: venue, marks, sensors and EsoF, ``CloseBar``, alpha. So a bar's
    readings count in its close, and the alpha sees the posture that the bar left.
*   It waits for each answer, but for nobody longer than the deadline: a dead process delays a bar
    once, and is then not waited for until it is back. Market time is the bar's own; a replay is as
    fast as its slowest living part.
*   A respawned process is sent the bars that its memory needs (``past``) before the next one.
*   When the runner says so it plays no more, and leaves its account as at the market's end.
*   The heart beats while it waits.

Not here: who starts and stops processes (``dolphin/ops/runner.py``).
"""

import json
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from functools import partial
from math import isnan
from typing import Any

import polars as pl
from msgspec import to_builtins

from dolphin.feed.bar import Bar
from dolphin.feed.panel import PanelError, rows_needed
from dolphin.feed.session_market import market_of, price_of
from dolphin.link.channel import Channel
from dolphin.link.client import Client
from dolphin.link.codec import Codec, Message, Unreadable
from dolphin.link.config import Config, configured, unusable
from dolphin.link.loop import Loop, Rank
from dolphin.link.messages import (
    FROM_ALPHA,
    FROM_ESOF,
    FROM_RUNNER,
    FROM_SENSORS,
    KERNEL_ANSWERS,
    VENUE_ANSWERS,
    Accepted,
    AlphaDone,
    Answer,
    AskStatus,
    BarDone,
    CloseBar,
    PlayBar,
    Progress,
    RecordHeartbeat,
    SessionEnd,
    SetPrices,
    Status,
    StatusShown,
    ToKernel,
    UpdateMark,
)
from dolphin.link.process import die_with_parent
from kernel.constants import Partition

INBOX_MAX = 1_000
OUTBOX_MAX = 100_000  # a respawned process is sent its past at once
CONNECT_S = 60.0
HEARTBEAT_S = 0.25
ANSWER_S = 2.0
SENSOR_PAST_BARS = 1_500
WIND_DOWN_BARS = 6
FED = ("alpha", "sensors", "esof")
# The columns of a bar's row, by who said it.
SHOWN = (
    "equity", "drawdown_ppm", "multiplier_ppm", "target_ppm", "cat1_ppm", "structural_ppm",
    "micro_ppm", "environment_ppm", "capital_ppm", "posture", "killed", "fence_epoch",
)  # fmt: skip
OF_ALPHA = ("vel_div", "signals", "lambda_max", "asked", "why", "answer")
OF_SENSORS = ("forewarner_status", "shock", "book_silent")
OF_ESOF = ("lunar_illumination", "lunar_age_days", "day_sin", "week_sin")


class Hub:
    """The driver's own listeners: who is connected, what waits for them, what they said."""

    def __init__(
        self, config: Config, hears: dict[str, Codec[Any]], idle: Callable[[], None]
    ) -> None:
        """Listen for the names of ``hears``; ``idle`` is called often while it waits."""
        self.loop = Loop()
        self._in: dict[str, deque[Message]] = {name: deque(maxlen=INBOX_MAX) for name in hears}
        self._ranks = {
            name: self.loop.listen(
                Rank(
                    name,
                    codec,
                    partial(self._take, name),
                    opened=partial(self._open, name),
                    outbox_max=OUTBOX_MAX,
                ),
                config.socket(f"driver.{name}"),
            )
            for name, codec in hears.items()
        }
        self._idle = idle
        self.fresh: list[str] = []
        self.ended = False
        self.counts: Counter[str] = Counter()

    def _open(self, name: str) -> None:
        """What was for the process before, or from it, is not the new one's."""
        self._ranks[name].outbox.clear()
        self._in[name].clear()
        self.fresh.append(name)

    def _take(self, name: str, _channel: Channel, heard: Message | Unreadable) -> None:
        if isinstance(heard, Unreadable):
            self.counts[f"unreadable_{name}"] += 1
        elif isinstance(heard, SessionEnd):
            self.ended = True
        else:
            self._in[name].append(heard)

    def there(self, name: str) -> bool:
        """Return whether ``name`` is connected."""
        return name in self._ranks and bool(self._ranks[name].channels)

    def put(self, name: str, message: Message) -> None:
        """Queue a message; it leaves as fast as it is taken."""
        if self.there(name):
            self._ranks[name].put(message)
            self.loop.flush(self._ranks[name])

    def pump(self, seconds: float) -> None:
        """Accept, send and receive what is there, waiting up to ``seconds`` for more."""
        self._idle()
        self.loop.turn(time.monotonic() + seconds)

    def get[Kind: Message](
        self, name: str, kind: type[Kind], holds: Callable[[Kind], bool], seconds: float
    ) -> Kind | None:
        """Return the next message of ``name`` for which ``holds``; None where none came."""
        end = time.monotonic() + seconds
        while True:
            waiting = self._in[name]
            while waiting:
                message = waiting.popleft()
                if isinstance(message, kind) and holds(message):
                    return message
            left = end - time.monotonic()
            if left <= 0 or self.ended or not self.there(name):
                return None
            self.pump(min(left, 0.1))


class Driver:
    """One session's market."""

    more_heard: Mapping[str, Codec[Any]] = {}

    def __init__(self, config: Config) -> None:
        """Load the market, connect to kernel and venue, listen for the others."""
        self.config = config
        self.panel = market_of(config)
        self._beat_at = 0.0
        self.counts: Counter[str] = Counter()
        self.rows: list[dict[str, Any]] = []
        self.watched: dict[str, set[int]] = {"alpha": set()}
        hears: dict[str, Codec[Any]] = {
            "alpha": FROM_ALPHA, "sensors": FROM_SENSORS, "esof": FROM_ESOF, "runner": FROM_RUNNER,
        }  # fmt: skip
        hears |= self.more_heard
        self.hub = Hub(config, hears, self._beat)
        loop = self.hub.loop
        self.venue = Client(loop, config.socket("venue.driver"), VENUE_ANSWERS, CONNECT_S)
        self.kernel = Client(loop, config.socket("kernel.driver"), KERNEL_ANSWERS, CONNECT_S)
        self._late: dict[str, int] = {}

    # --- helpers ---------------------------------------------------------------------------------

    def _beat(self) -> None:
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + HEARTBEAT_S
            self.kernel.tell(RecordHeartbeat(partition=int(Partition.FEED)))

    def ask_kernel(self, message: ToKernel, seconds: float = ANSWER_S) -> Answer | None:
        """Return the kernel's answer; None, counted, where none came."""
        self._beat()
        answer = self.kernel.ask(message, seconds)
        if answer is None:
            self.counts["kernel_silent"] += 1
        return answer

    def status(self, seconds: float = ANSWER_S) -> Status | None:
        """Return the kernel's status, None where it does not answer."""
        answer = self.ask_kernel(AskStatus(), seconds)
        return answer.status if isinstance(answer, StatusShown) else None

    def _greet(self, index: int) -> None:
        """Send the past to who has just come, up to the bar before ``index``."""
        for name in self.hub.fresh:
            self._late.pop(name, None)
            if name == "alpha":
                need = rows_needed(self.config.windows) + 2
            elif name == "sensors":
                need = SENSOR_PAST_BARS
            else:
                continue
            for row in range(max(0, index - need), index):
                self.hub.put(name, played(self.panel.bar(row), past=True))
        self.hub.fresh.clear()

    def _feed(
        self, names: tuple[str, ...], bar: Bar, wind_down: bool = False
    ) -> dict[str, BarDone]:
        """Send a bar to ``names``; return their answers, as far as they came in time."""
        self.hub.pump(0)
        self._greet(bar.index)
        there = [name for name in names if self.hub.there(name)]
        for name in there:
            self.hub.put(name, played(bar, wind_down=wind_down))
        answers: dict[str, BarDone] = {}
        for name in there:
            # One that was late last time gets little more than a glance until it answers again.
            patience = self.config.deadline_ms / 1000 / (1 if name not in self._late else 20)
            answer = self.hub.get(name, BarDone, lambda done: done.bar == bar.index, patience)
            if answer is None:
                self.counts[f"late_{name}"] += 1
                self._late[name] = bar.index
                continue
            self._late.pop(name, None)
            answers[name] = answer
        for name in set(names) - set(there):
            self.counts[f"absent_{name}"] += 1
        return answers

    # --- the session -----------------------------------------------------------------------------

    def run(self) -> None:
        """Play every bar."""
        lead = self.config.lead_bars
        # The parts are there once the kernel answers: it starts when they are connected.
        end = time.monotonic() + CONNECT_S
        while time.monotonic() < end and not all(self.hub.there(name) for name in FED):
            self.hub.pump(0.1)
        self._greet(lead)
        self.status(CONNECT_S)
        for index in range(lead, self.panel.rows):
            if self.hub.ended:
                break
            self._play(index)
        self._finish()

    def _play(self, index: int) -> None:
        bar = self.panel.bar(index)
        prices = {
            position + 1: price
            for position, close in enumerate(bar.closes)
            if (price := price_of(close, self.config.lot_ppm[position])) is not None
        }
        self.counts["gaps"] += len(bar.closes) - len(prices)
        if self.venue.ask(SetPrices(bar=index, prices=prices), ANSWER_S) is None:
            self.counts["venue_silent"] += 1
        for instrument in sorted(set().union(*self.watched.values())):
            if instrument in prices:
                self.ask_kernel(UpdateMark(instrument=instrument, price=prices[instrument]))
        answers = self._feed(("sensors", "esof"), bar)
        closed = self.ask_kernel(CloseBar(market_time_ms=bar.market_time_ms, show=True))
        status = closed.status if isinstance(closed, Accepted) else self.status()
        self.counts["bars"] += 1
        if status is None:
            return
        wind_down = index >= self.panel.rows - WIND_DOWN_BARS
        answers |= self._feed(("alpha",), bar, wind_down)
        alpha = answers.get("alpha")
        if isinstance(alpha, AlphaDone):
            self.watched["alpha"] = set(alpha.watch)
        self._row(index, bar, prices, status, answers)
        if self.hub.there("runner") and index % 5 == 0:
            lead = self.config.lead_bars
            self.hub.put(
                "runner",
                Progress(
                    bar=index - lead + 1,
                    of=self.panel.rows - lead,
                    posture=status.posture,
                    equity=status.equity,
                ),
            )
        if not wind_down:
            self.after_bar(index - self.config.lead_bars, status)

    def after_bar(self, bar: int, status: Status) -> None:
        """Do what a kind of session adds after each bar; here, nothing."""

    def _row(
        self,
        index: int,
        bar: Bar,
        prices: dict[int, int],
        status: Status,
        answers: dict[str, BarDone],
    ) -> None:
        alpha, sensors, esof = (answers.get(name) for name in ("alpha", "sensors", "esof"))
        row: dict[str, Any] = {
            "bar": index - self.config.lead_bars,
            "market_time_ms": bar.market_time_ms,
            "price": prices.get(1),
            **{name: getattr(status, name) for name in SHOWN},
            "causes": "+".join(status.causes),
            "position": status.slots[0].quantity,
            "positions": sum(1 for slot in status.slots if slot.quantity != 0),
            "gaps": len(bar.closes) - len(prices),
        }
        for done, names in ((alpha, OF_ALPHA), (sensors, OF_SENSORS), (esof, OF_ESOF)):
            row |= {name: getattr(done, name, None) for name in names}
        row["lambda_max"] = list(row["lambda_max"] or ())
        self.rows.append(row)

    def more_account(self) -> dict[str, Any]:
        """Return what a session adds to the driver's account."""
        return {}

    # --- the end ---------------------------------------------------------------------------------

    def _finish(self) -> None:
        status = self.status()
        pl.DataFrame(self.rows, infer_schema_length=None).write_parquet(
            self.config.run / "bars.parquet"
        )
        account = {
            "counts": dict(self.counts + self.hub.counts),
            "status": to_builtins(status),
        } | self.more_account()
        (self.config.run / "driver.json").write_text(json.dumps(account, indent=1) + "\n")
        self.hub.put("runner", SessionEnd())
        end = time.monotonic() + 60
        while time.monotonic() < end and self.hub.there("runner"):
            self.hub.pump(0.1)


def played(bar: Bar, past: bool = False, wind_down: bool = False) -> PlayBar:
    """Return the message that carries a bar."""
    return PlayBar(
        bar=bar.index,
        market_time_ms=bar.market_time_ms,
        closes=tuple(None if isnan(close) else close for close in bar.closes),
        past=past,
        wind_down=wind_down,
    )


def drive(kind: type[Driver]) -> None:
    """Drive the session in the folder named on the command line."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = configured("driver", sys.argv)
    try:
        driver = kind(config)
    except PanelError as error:
        unusable("driver", str(error))
    driver.run()


def main() -> None:
    """Drive the session in the folder named on the command line."""
    drive(Driver)


if __name__ == "__main__":
    main()
