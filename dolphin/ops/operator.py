"""The operator's hand on a running session: find it, ask it, act on it.

Rules of this file:

*   The newest running session is the one ``runs/current`` names; ``--session`` names another.
*   What an operator does carries who and why. The shell turns the words into the numbers that the
    event takes, and writes the words beside it.
*   No session, or one that does not answer: one line, exit 2. A refusal: exit 1, with the reason.

Not here: what the acts mean (``kernel/rearm.py``, ``kernel/killswitch.py``).
"""

import getpass
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from dolphin.link.channel import LinkError
from dolphin.link.client import Client
from dolphin.link.config import BadConfig, Config, load

RUNS = Path("runs")
ANSWER_S = 5.0
BAD_INPUT = 2


class NoSession(Exception):
    """There is no running session; the message says where was looked."""


class Hand:
    """A connection to one session's operator path."""

    def __init__(self, folder: Path) -> None:
        """Connect; raises ``NoSession``."""
        try:
            self.config: Config = load(folder)
        except BadConfig:
            raise NoSession(f"{folder}: no session lies there") from None
        try:
            self._client = Client(self.config.socket("kernel.operator"), 0.0)
        except LinkError:
            raise NoSession(f"{folder}: the session is not running") from None

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the kernel's answer; raises ``NoSession`` where there is none."""
        answer = self._client.ask(message, ANSWER_S)
        if answer is None:
            raise NoSession(f"{self.config.folder}: the kernel does not answer")
        return answer

    def status(self) -> dict[str, Any]:
        """Return the kernel's status."""
        status: dict[str, Any] = self.ask({"ask": "status"})["status"]
        return status

    def account(self) -> dict[str, Any]:
        """Return the shell's counts so far."""
        account: dict[str, Any] = self.ask({"ask": "account"})["account"]
        return account

    def act(self, event: str, who: str, why: str, **fields: int) -> dict[str, Any]:
        """Act as operator ``who`` for the reason ``why``."""
        return self.ask({"event": event, "who": who, "why": why, **fields})

    def drill(self, on: bool) -> None:
        """Have the journal fail, or work again."""
        self.ask({"drill": "journal", "on": on})


def fail(name: str, message: str, code: int) -> NoReturn:
    """Say one line on stderr and exit."""
    click.echo(f"dolphin {name}: {message}", err=True)
    sys.exit(code)


def hand_of(name: str, session: Path | None) -> Hand:
    """Return the hand on the session that a command means; exits 2 where there is none."""
    folder = session if session is not None else RUNS / "current"
    try:
        if session is None and not folder.exists():
            raise NoSession(f"no session is running (nothing at {folder})")
        return Hand(folder.resolve())
    except NoSession as error:
        fail(name, str(error), BAD_INPUT)


def me() -> str:
    """Return the name of who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
