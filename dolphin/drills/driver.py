"""The driver of a demonstration: the feed driver that also performs the drills after a bar.

``python -m dolphin.drills.driver RUN_FOLDER``. Level E: a session without drills runs
``dolphin.feed`` alone.

Rules of this file:

*   A drill is done between two bars: the market stands still meanwhile, and the heart beats.
*   A drill that cannot be done is not shown, and the market goes on.

Not here: what the drills are (``plan``), who kills processes (``dolphin.ops.session``).
"""

import sys
from typing import Any

from dolphin.drills.plan import Drill, Plan, drills
from dolphin.feed.driver import ANSWER_S, Driver
from dolphin.feed.market import plan as episodes_of
from dolphin.link.config import Config, load

DRILL_S = 90.0


class DrillingDriver(Driver):
    """One demonstration's market."""

    more_listeners = ("prober",)

    def __init__(self, config: Config) -> None:
        """Draw the plan up for this market."""
        super().__init__(config)
        self._watch["prober"] = set()
        episodes = episodes_of(config.seed, config.bars, config.bar_ms)
        played = config.bars - config.lead_bars
        self.plan = Plan(drills(config.profile, episodes, played, config.lead_bars))

    def more_account(self) -> dict[str, Any]:
        """Return what was drilled, and what never came to its end."""
        return {"drills": self.plan.log, "drills_undone": self.plan.undone}

    def after_bar(self, bar: int, status: dict[str, Any]) -> None:
        """Do the drills that are due."""
        for row in self.plan.due(bar, status):
            # An earlier drill of this bar may have changed what this one's condition saw.
            now = self._kernel({"ask": "status"}).get("status")
            if now is None or not row.when(now):
                continue
            try:
                seen, detail = self._do(row)
            except (KeyError, TypeError, OSError) as error:
                # A drill that cannot be done is not shown, and the market goes on.
                seen, detail = set(), repr(error)
            self.plan.tried(row, bar, seen, detail)

    def _do(self, row: Drill) -> tuple[set[str], str]:
        if row.hand == "driver":
            return self._bend_time(), ""
        if row.hand == "venue":
            on = row.name == "slow_cancels"
            self.venue.ask({"drill": "slow_cancels", "on": on}, ANSWER_S)
            return set(), ""
        if row.hand == "prober":
            return self._prober(row.name)
        if row.name == "kill_desync":
            self.venue.ask({"drill": "falsify_books", "on": True}, ANSWER_S)
        if row.name != "kill_operator":
            return self._runner(row.name)
        self._prober("rest")
        self._prober("hold")
        seen, detail = self._runner(row.name)
        late, _ = self._prober("present_held")
        self._prober("release")
        return seen | late, detail

    def _bend_time(self) -> set[str]:
        status = self._kernel({"ask": "status"})["status"]
        now = status["market_time_ms"]
        asked = [now - 1, now + 1]
        return {
            str(self._kernel({"event": "CloseBar", "market_time_ms": time_ms}).get("reason"))
            for time_ms in asked
        }

    def _prober(self, name: str) -> tuple[set[str], str]:
        self.hub.put("prober", {"drill": name})
        answer = self.hub.get("prober", "drilled", name, DRILL_S)
        if answer is None:
            return set(), "no answer"
        self._watch["prober"] = set(answer["watch"])
        return set(answer["seen"]), answer["detail"]

    def _runner(self, name: str) -> tuple[set[str], str]:
        self.hub.put("runner", {"drill": name})
        answer = self.hub.get("runner", "drilled", name, DRILL_S)
        if answer is None:
            return set(), "no answer"
        return set(answer["seen"]), answer["detail"]


def main() -> None:
    """Drive the demonstration in the folder named on the command line."""
    DrillingDriver(load(sys.argv[1])).run()


if __name__ == "__main__":
    main()
