"""One session, from the user's choices to its account.

Rules of this file:

*   It is prepared, played and collected, in that order. Its processes are stopped whatever happens.
*   A session that ended early has an account like any other, with the reason, and never a PASS.

Not here: the steps (``preparation``, ``runner``, ``collect``), the command (``dolphin/commands``).
"""

import os
from datetime import UTC, datetime
from typing import Any

from dolphin.drills.conductor import Conductor
from dolphin.link.channel import LinkError
from dolphin.link.config import Config
from dolphin.ops.collect import collect
from dolphin.ops.endings import Ended, Endings
from dolphin.ops.operator import NoSession
from dolphin.ops.preparation import Choices, Market, prepare
from dolphin.ops.registry import Place
from dolphin.ops.runner import OnProgress, Runner
from dolphin.ops.supervise import Unsupervised, programs


class Unaccounted(Exception):
    """A session has ended and its account cannot be written; one line says how it ended."""


def run_session(
    choices: Choices, market: Market, progress: OnProgress, endings: Endings
) -> dict[str, Any]:
    """Play a session and return its account; whatever happens, its processes are stopped.

    Raises ``NoRegistry``, ``Unwritable``, ``Unsupervised`` and ``Ended`` where it did not begin,
    and ``Unaccounted``.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    place = Place()
    try:
        endings.check()
        config = prepare(choices, market, place)
        broken, table = _play(config, progress, endings)
    finally:
        place.leave()
    try:
        return collect(
            config,
            command=choices.command,
            started=started,
            processes=processes(config, table),
            how="supervisord",
            broken=broken,
            rows=market.panel.rows,
        )
    except OSError as error:
        how = broken or "played to its end"
        raise Unaccounted(
            f"{config.folder}: no account can be written ({error.strerror or error}); {how}"
        ) from None


def _play(
    config: Config, progress: OnProgress, endings: Endings
) -> tuple[str, list[dict[str, Any]]]:
    """Return why the session broke, or the empty text, and its processes as they stood last."""
    try:
        kind = Conductor if config.demonstration else Runner
        runner = kind(config, progress, endings)
    except Unsupervised as error:
        raise Unsupervised(f"{error} (logs: {config.run / 'logs'})") from None
    except LinkError as error:
        return str(error), []
    except Ended as error:
        return f"ended by {error} before its first bar", []
    try:
        broken = runner.play()
    except Ended as error:
        broken = f"ended by {error}"
    except NoSession as error:
        broken = str(error)
    try:
        table = runner.tree.table()
        if broken:
            broken = f"{broken}; {runner.come_flat(broken)}"
            runner.end_market()
    finally:
        runner.tree.stop()
    return broken, table


def processes(config: Config, table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the process table with levels, as it stood at the session's end."""
    levels = {one.name: one.level for one in programs(config)}
    return [
        {
            "name": row["name"],
            "pid": row["pid"],
            "level": levels.get(row["name"], "?"),
            "uid": os.getuid(),
            "exit": row["exit"],
        }
        for row in table
    ]
