"""The feed driver: sends each bar to every process, one bar at a time, and sets market time.

``python -m dolphin.feed RUN_FOLDER``.

Rules of this file:

*   The order within a bar: venue, marks, sensors and EsoF, ``CloseBar``, alpha, drills. So a bar's
    readings count in its close, and the alpha sees the posture that the bar left.
*   It waits for each answer, but for nobody longer than the deadline: a dead process delays a bar
    once, and is then not waited for until it is back. Market time is the bar's own; a replay is as
    fast as its slowest living part.
*   A respawned process is sent the bars that its memory needs (``past``) before the next one.
*   The heart beats while it waits.

Not here: drills (``dolphin.drills.driver`` adds them to a demonstration), who kills processes
(``dolphin.ops.session``).
"""

import json
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import polars as pl

from dolphin.feed.bar import Bar
from dolphin.feed.panel import PanelError, rows_needed
from dolphin.feed.session_market import market_of, price_of
from dolphin.link.channel import BadMessage, Channel, ChannelClosed, Listener, ready
from dolphin.link.client import Client
from dolphin.link.config import Config, load
from dolphin.link.process import die_with_parent
from kernel.constants import Partition

CONNECT_S = 60.0
HEARTBEAT_S = 0.25
ANSWER_S = 2.0
SENSOR_PAST_BARS = 1_500
WIND_DOWN_BARS = 6
UNUSABLE = 2  # exit code: what a new start would find again
FED = ("alpha", "sensors", "esof")


class Hub:
    """The driver's own listeners: who is connected, what waits for them, what they said."""

    def __init__(self, config: Config, names: tuple[str, ...], idle: Callable[[], None]) -> None:
        """Listen for ``names``; ``idle`` is called often while something is waited for."""
        self._listeners = {name: Listener(config.socket(f"driver.{name}")) for name in names}
        self._channels: dict[str, Channel] = {}
        self._out: dict[str, deque[dict[str, Any]]] = {name: deque() for name in names}
        self._in: dict[str, deque[dict[str, Any]]] = {name: deque() for name in names}
        self._idle = idle
        self.fresh: list[str] = []

    def there(self, name: str) -> bool:
        """Return whether ``name`` is connected."""
        return name in self._channels

    def put(self, name: str, message: dict[str, Any]) -> None:
        """Queue a message; it leaves as fast as it is taken."""
        if name in self._channels:
            self._out[name].append(message)

    def pump(self, seconds: float) -> None:
        """Accept, send and receive what is there, waiting up to ``seconds`` for more."""
        self._idle()
        descriptors = [listener.fileno() for listener in self._listeners.values()]
        descriptors += [channel.fileno() for channel in self._channels.values()]
        self._flush()
        busy = any(self._out[name] for name in self._channels)
        ready(descriptors, min(seconds, 0.002) if busy else seconds)
        for name, listener in self._listeners.items():
            channel = listener.accept()
            if channel is not None:
                self._lose(name)
                self._channels[name] = channel
                self.fresh.append(name)
        for name in list(self._channels):
            self._hear(name)

    def _flush(self) -> None:
        for name in list(self._channels):
            waiting = self._out[name]
            try:
                while waiting and self._channels[name].send(waiting[0]):
                    waiting.popleft()
            except ChannelClosed:
                self._lose(name)

    def _hear(self, name: str) -> None:
        try:
            while (message := self._channels[name].recv()) is not None:
                self._in[name].append(message)
        except BadMessage:
            return
        except ChannelClosed:
            self._lose(name)

    def _lose(self, name: str) -> None:
        channel = self._channels.pop(name, None)
        if channel is not None:
            channel.close()
        self._out[name].clear()
        self._in[name].clear()

    def get(self, name: str, key: str, value: Any, seconds: float) -> dict[str, Any] | None:
        """Return the message of ``name`` whose ``key`` is ``value``; None where none came."""
        end = time.monotonic() + seconds
        while True:
            waiting = self._in[name]
            while waiting:
                message = waiting.popleft()
                if message.get(key) == value:
                    return message
            left = end - time.monotonic()
            if left <= 0 or name not in self._channels:
                return None
            self.pump(min(left, 0.1))


class Driver:
    """One session's market."""

    more_listeners: tuple[str, ...] = ()

    def __init__(self, config: Config) -> None:
        """Load the market, connect to kernel and venue, listen for the others."""
        die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.config = config
        self.panel = market_of(config)
        self._beat_at = 0.0
        self.counts: Counter[str] = Counter()
        self.rows: list[dict[str, Any]] = []
        self._watch: dict[str, set[int]] = {"alpha": set()}
        self._esof: dict[str, Any] = {}
        self.hub = Hub(config, (*FED, "runner", *self.more_listeners), self._beat)
        self.venue = Client(config.socket("venue.driver"), CONNECT_S)
        self.kernel = Client(config.socket("kernel.driver"), CONNECT_S)
        self._late: dict[str, int] = {}

    # --- helpers ---------------------------------------------------------------------------------

    def _beat(self) -> None:
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + HEARTBEAT_S
            self.kernel.tell({"event": "RecordHeartbeat", "partition": int(Partition.FEED)})

    def _kernel(self, message: dict[str, Any], seconds: float = ANSWER_S) -> dict[str, Any]:
        self._beat()
        answer = self.kernel.ask(message, seconds)
        if answer is None:
            self.counts["kernel_silent"] += 1
            return {"ok": False, "reason": "NO_ANSWER"}
        return answer

    def _bar_message(self, bar: Bar, past: bool) -> dict[str, Any]:
        message: dict[str, Any] = {
            "bar": bar.index,
            "market_time_ms": bar.market_time_ms,
            "closes": bar.closes,
        }
        if past:
            message["past"] = True
        return message

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
                self.hub.put(name, self._bar_message(self.panel.bar(row), True))
        self.hub.fresh.clear()

    def _feed(self, names: tuple[str, ...], bar: Bar, **more: Any) -> dict[str, dict[str, Any]]:
        """Send a bar to ``names``; return their answers, as far as they came in time."""
        self.hub.pump(0)
        self._greet(bar.index)
        there = [name for name in names if self.hub.there(name)]
        for name in there:
            self.hub.put(name, self._bar_message(bar, False) | more)
        answers: dict[str, dict[str, Any]] = {}
        for name in there:
            # One that was late last time gets little more than a glance until it answers again.
            patience = self.config.deadline_ms / 1000 / (1 if name not in self._late else 20)
            answer = self.hub.get(name, "done", bar.index, patience)
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
        self._kernel({"ask": "status"}, CONNECT_S)
        for index in range(lead, self.panel.rows):
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
        if self.venue.ask({"bar": index, "prices": prices}, ANSWER_S) is None:
            self.counts["venue_silent"] += 1
        for instrument in sorted(set().union(*self._watch.values())):
            if instrument in prices:
                self._kernel(
                    {"event": "UpdateMark", "instrument": instrument, "price": prices[instrument]}
                )
        answers = self._feed(("sensors", "esof"), bar)
        closed = self._kernel(
            {"event": "CloseBar", "market_time_ms": bar.market_time_ms, "show": True}
        )
        status = closed.get("status") or self._kernel({"ask": "status"}).get("status")
        self.counts["bars"] += 1
        if status is None:
            return
        wind_down = index >= self.panel.rows - WIND_DOWN_BARS
        answers |= self._feed(("alpha",), bar, wind_down=wind_down)
        if "alpha" in answers:
            self._watch["alpha"] = set(answers["alpha"].get("watch", ()))
        self._row(index, bar, prices, status, answers)
        if self.hub.there("runner") and index % 5 == 0:
            self.hub.put(
                "runner",
                {
                    "bar": index - self.config.lead_bars + 1,
                    "of": self.panel.rows - self.config.lead_bars,
                    "posture": status["posture"],
                    "equity": status["equity"],
                },
            )
        if not wind_down:
            self.after_bar(index - self.config.lead_bars, status)

    def after_bar(self, bar: int, status: dict[str, Any]) -> None:
        """Do what a kind of session adds after each bar; here, nothing."""

    def _row(
        self,
        index: int,
        bar: Bar,
        prices: dict[int, int],
        status: dict[str, Any],
        answers: dict[str, dict[str, Any]],
    ) -> None:
        alpha, sensors = answers.get("alpha", {}), answers.get("sensors", {})
        esof = answers.get("esof", {})
        self.rows.append(
            {
                "bar": index - self.config.lead_bars,
                "market_time_ms": bar.market_time_ms,
                "price": prices.get(1),
                "equity": status["equity"],
                "drawdown_ppm": status["drawdown_ppm"],
                "multiplier_ppm": status["multiplier_ppm"],
                "target_ppm": status["target_ppm"],
                "cat1_ppm": status["cat1_ppm"],
                "structural_ppm": status["structural_ppm"],
                "micro_ppm": status["micro_ppm"],
                "environment_ppm": status["environment_ppm"],
                "capital_ppm": status["capital_ppm"],
                "posture": status["posture"],
                "killed": status["killed"],
                "causes": "+".join(status["causes"]),
                "position": status["slots"][0][2],
                "positions": sum(1 for slot in status["slots"] if slot[2] != 0),
                "fence_epoch": status["fence_epoch"],
                "vel_div": alpha.get("vel_div"),
                "signals": alpha.get("signals"),
                "lambda_max": alpha.get("lambda_max") or [],
                "asked": alpha.get("asked", ""),
                "why": alpha.get("why", ""),
                "answer": alpha.get("answer", ""),
                "forewarner_status": sensors.get("forewarner_status"),
                "shock": sensors.get("shock"),
                "book_silent": sensors.get("book_silent"),
                "gaps": len(bar.closes) - len(prices),
                "lunar_illumination": esof.get("lunar", {}).get("illumination"),
                "lunar_age_days": esof.get("lunar", {}).get("age_days"),
                "day_sin": esof.get("harmonics", {}).get("day_sin"),
                "week_sin": esof.get("harmonics", {}).get("week_sin"),
            }
        )

    def more_account(self) -> dict[str, Any]:
        """Return what a session adds to the driver's account."""
        return {"drills": [], "drills_undone": []}

    # --- the end ---------------------------------------------------------------------------------

    def _finish(self) -> None:
        status = self._kernel({"ask": "status"}).get("status")
        pl.DataFrame(self.rows, infer_schema_length=None).write_parquet(
            self.config.run / "bars.parquet"
        )
        account = {
            "counts": dict(self.counts),
            "status": status,
        } | self.more_account()
        (self.config.run / "driver.json").write_text(json.dumps(account, indent=1) + "\n")
        self.hub.put("runner", {"end": True})
        end = time.monotonic() + 60
        while time.monotonic() < end and self.hub.there("runner"):
            self.hub.pump(0.1)


def main() -> None:
    """Drive the session in the folder named on the command line."""
    try:
        driver = Driver(load(sys.argv[1]))
    except PanelError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(UNUSABLE)
    driver.run()


if __name__ == "__main__":
    main()
