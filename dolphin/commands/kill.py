"""``dolphin kill``: the operator trips the kill-switch of the running session.

Exit 0 when the kernel took it, 1 when it refused, 2 without a session. Not here: what a kill does
(``kernel/killswitch.py``).
"""

import json
from pathlib import Path

import click

from dolphin.ops.operator import NoSession, fail, hand_of, me
from kernel.constants import Cause


@click.command()
@click.option("--reason", required=True, help="Why, in words; it is journalled.")
@click.option("--operator", "who", default=me, show_default="your user name", help="Who.")
@click.option("--session", type=click.Path(path_type=Path), help="A run's folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(reason: str, who: str, session: Path | None, as_json: bool) -> None:
    """Kill: multiplier 0, HIBERNATE, cancel and flatten, until re-armed."""
    hand = hand_of("kill", session)
    try:
        answer = hand.act("TripKillSwitch", who, reason, cause=int(Cause.OPERATOR))
        status = hand.status()
    except NoSession as error:
        fail("kill", str(error), 2)
    ok = answer.get("ok") is True
    if as_json:
        click.echo(json.dumps({"ok": ok, "reason": answer.get("reason"), "status": status}))
    elif ok:
        click.echo(f"killed ({'+'.join(status['causes'])}); lift it with: dolphin rearm --request")
    if not ok:
        fail("kill", f"refused: {answer.get('reason')}", 1)
