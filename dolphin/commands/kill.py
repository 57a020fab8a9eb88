"""``dolphin kill``: the operator trips the kill-switch of a running session, or of all of them.

Rules of this file: the session is tripped first and everything else comes after: the reason may be
missing, of any bytes and any length, and it is looked at when the kernel has been told. Exit 0 when
every kernel meant took it, 1 when one refused or did not answer, 2 without a session, or where it
is not clear which one is meant.

Not here: what a kill does (``kernel/killswitch.py``).
"""

import json
import sys
from dataclasses import dataclass
from typing import Any

import click
from msgspec import to_builtins

from dolphin.link.config import Config
from dolphin.link.messages import Status
from dolphin.ops.operator import (
    SESSION_HELP,
    NoAnswer,
    NoSession,
    OperatorClient,
    at_once,
    me,
    patience,
    sessions,
    words,
)

NO_REASON = "no reason given"


@dataclass(frozen=True)
class Killed:
    """What came of one session's kill. ``fault`` is why it is not known to be killed, or empty."""

    config: Config
    fault: str
    code: int
    status: Status | None

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "session": self.config.id,
            "folder": self.config.folder,
            "ok": not self.fault,
            "reason": self.fault or None,
            "status": to_builtins(self.status),
        }


def kill(config: Config, who: str, why: str) -> Killed:
    """Kill one session."""
    killed = False
    try:
        client = OperatorClient(config, patience(config))
        refusal = client.kill(who, why)
        if refusal:
            return Killed(config, f"refused: {refusal}", 1, None)
        killed = True
        return Killed(config, "", 0, client.status())
    except NoAnswer as error:
        if killed:  # only its status is not known
            return Killed(config, "", 0, None)
        return Killed(config, str(error), 1, None)
    except NoSession as error:
        return Killed(config, str(error), 2, None)


@click.command()
@click.option("--reason", default="", help="Why, in words; written to the journal.")
@click.option(
    "--operator", "who", default=me, show_default="your user name", help="Who gives the command."
)
@click.option("--session", metavar="NAME", help=SESSION_HELP)
@click.option("--all", "every", is_flag=True, help="Every running session of yours.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def command(reason: str, who: str, session: str | None, every: bool, as_json: bool) -> None:
    """Kill: multiplier 0, HIBERNATE, cancel and flatten, until re-armed."""
    meant = sessions("kill", session, every=every)
    found = at_once(lambda config: kill(config, who, reason or NO_REASON), meant)
    code = 1 if every and any(one.code for one in found) else max(one.code for one in found)
    if as_json:
        rows = [one.document() for one in found]
        document = {"ok": code == 0, "sessions": rows} if every else rows[0]
        click.echo(json.dumps(document))
    for one in found:
        name = words(one.config.id)
        if one.fault:
            click.echo(f"dolphin kill: {name}: {words(one.fault)}", err=True)
        elif not as_json:
            causes = "" if one.status is None else f" ({'+'.join(one.status.causes)})"
            lift = f"dolphin rearm --request --session {name}"
            click.echo(f"{name} killed{causes}; lift it with: {lift}")
    sys.exit(code)
