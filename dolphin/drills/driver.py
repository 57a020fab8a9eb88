"""The driver of a demonstration: the feed driver that also performs the drills after a bar.

``python -m dolphin.drills.driver RUN_FOLDER``. Level E: a session without drills runs
``dolphin.feed`` alone.

Rules of this file:

*   A drill is done between two bars: the market stands still meanwhile, and the heart beats.
*   A drill that cannot be done is not shown, and the market goes on.

Not here: what the drills are (``plan``), who kills processes (``conductor``).
"""

from typing import Any

from dolphin.drills.messages import FROM_PROBER, FROM_RUNNER, DoDrill, DrillDone, DrillVenue
from dolphin.drills.plan import Drill, Plan, drills
from dolphin.feed.driver import ANSWER_S, Driver, drive
from dolphin.feed.market import plan as episodes_of
from dolphin.link.config import Config
from dolphin.link.messages import CloseBar, Refused, Status

DRILL_S = 90.0


class DrillingDriver(Driver):
    """One demonstration's market."""

    more_heard = {"prober": FROM_PROBER, "runner": FROM_RUNNER}  # noqa: RUF012  (read, never changed)

    def __init__(self, config: Config) -> None:
        """Draw the plan up for this market."""
        super().__init__(config)
        self.watched["prober"] = set()
        episodes = episodes_of(config.seed, config.bars, config.bar_ms)
        played = config.bars - config.lead_bars
        self.plan = Plan(drills(config.profile, episodes, played, config.lead_bars))

    def more_account(self) -> dict[str, Any]:
        """Return what was drilled, and what never came to its end."""
        return {"drills": self.plan.log, "drills_undone": self.plan.undone}

    def after_bar(self, bar: int, status: Status) -> None:
        """Do the drills that are due."""
        for row in self.plan.due(bar, status):
            # An earlier drill of this bar may have changed what this one's condition saw.
            now = self.status()
            if now is None or not row.when(now):
                continue
            seen, detail = self._do(row)
            self.plan.tried(row, bar, seen, detail)

    def _do(self, row: Drill) -> tuple[set[str], str]:
        if row.hand == "driver":
            return self._bend_time(), ""
        if row.hand == "venue":
            on = row.name == "slow_cancels"
            self.venue.ask(DrillVenue(name="slow_cancels", on=on), ANSWER_S)
            return set(), ""
        if row.hand == "prober":
            return self._have_done("prober", row.name)
        if row.name == "kill_desync":
            self.venue.ask(DrillVenue(name="falsify_books", on=True), ANSWER_S)
        if row.name != "kill_operator":
            return self._have_done("runner", row.name)
        self._have_done("prober", "rest")
        self._have_done("prober", "hold")
        seen, detail = self._have_done("runner", row.name)
        late, _ = self._have_done("prober", "present_held")
        self._have_done("prober", "release")
        return seen | late, detail

    def _bend_time(self) -> set[str]:
        status = self.status()
        if status is None:
            return set()
        asked = [status.market_time_ms - 1, status.market_time_ms + 1]
        answers = [self.ask_kernel(CloseBar(market_time_ms=time_ms)) for time_ms in asked]
        return {answer.reason for answer in answers if isinstance(answer, Refused)}

    def _have_done(self, doer: str, name: str) -> tuple[set[str], str]:
        """Have the prober or the runner do a drill; return what it saw, and what else there is."""
        self.hub.put(doer, DoDrill(name=name))
        answer = self.hub.get(doer, DrillDone, lambda done: done.name == name, DRILL_S)
        if answer is None:
            return set(), "no answer"
        if doer == "prober":
            self.watched[doer] = set(answer.watch)
        return set(answer.seen), answer.detail


def main() -> None:
    """Drive the demonstration in the folder named on the command line."""
    drive(DrillingDriver)


if __name__ == "__main__":
    main()
