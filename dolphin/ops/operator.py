"""The operator's client: find running sessions, query their kernels, send commands.

Rules of this file:

*   A session is meant by its name, by the beginning of its name where only one begins so, or by its
    folder. Where one session alone runs, it need not be named; where several do, a command that
    names none acts on none: it lists them (exit 2). A command says which session it acted on.
*   What an operator does carries who and why. The shell turns the words into the numbers that the
    event takes, and writes the words beside it. A command line is bytes of any kind and length;
    words are made fit to be sent here, so that no word keeps an act from its way.
*   A kernel that died is started again within seconds: an operator's command waits for it.
*   No session: one line, exit 2. A refusal, or a kernel that does not answer: exit 1.

Not here: which sessions run (``registry``), what the acts mean (``kernel/rearm.py``,
``kernel/killswitch.py``).
"""

import getpass
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import click

from dolphin.link.channel import LinkError
from dolphin.link.client import Client
from dolphin.link.config import BadConfig, Config, load
from dolphin.link.loop import Loop
from dolphin.link.messages import (
    KERNEL_ANSWERS,
    WORDS_MAX,
    AccountShown,
    Answer,
    AskAccount,
    AskStatus,
    Refused,
    Spoken,
    Status,
    StatusShown,
    ToKernel,
    TripKillSwitch,
)
from dolphin.ops.registry import NoRegistry, Running, running
from kernel.constants import Cause

ANSWER_S = 5.0
KILL_S = 30.0  # a kernel that died is up again well within it, on a busy machine too
BAD_INPUT = 2

SESSION_HELP = "A running session's name, or its beginning, or its folder."


class NoSession(Exception):
    """There is no such running session; the message says what was looked for."""


class NoAnswer(NoSession):
    """The session runs, and its kernel does not answer."""


def words(text: str) -> str:
    """Return an operator's words as text that can be sent and journalled.

    Bytes that are not UTF-8 reach a program as lone surrogates; they become ``\\xNN``.
    """
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that no byte of a command line gives
        data = text.encode("utf-8", "backslashreplace")
    return data.decode("utf-8", "backslashreplace")[:WORDS_MAX]


class OperatorClient:
    """A connection to one session's operator path."""

    def __init__(self, config: Config, seconds: float = 0.0) -> None:
        """Connect, waiting up to ``seconds`` for a kernel; raises ``NoSession``."""
        self.config = config
        try:
            path = config.socket("kernel.operator")
            self._client = Client(Loop(), path, KERNEL_ANSWERS, seconds)
        except LinkError:
            raise NoSession(f"{config.folder}: the session is not running") from None

    @property
    def name(self) -> str:
        """The session's name."""
        return self.config.id

    def ask(self, message: ToKernel, seconds: float = ANSWER_S) -> Answer:
        """Return the kernel's answer; raises ``NoAnswer`` where there is none."""
        answer = self._client.ask(message, seconds)
        if answer is None:
            raise NoAnswer(f"{self.config.folder}: the kernel does not answer")
        return answer

    def status(self) -> Status:
        """Return the kernel's status."""
        answer = self.ask(AskStatus())
        if not isinstance(answer, StatusShown):
            raise NoAnswer(f"{self.config.folder}: the kernel does not say its status")
        return answer.status

    def account(self) -> AccountShown:
        """Return the shell's counts so far."""
        answer = self.ask(AskAccount())
        if not isinstance(answer, AccountShown):
            raise NoAnswer(f"{self.config.folder}: the kernel does not say its account")
        return answer

    def act(self, act: Callable[..., Spoken], who: str, why: str, **fields: int) -> str:
        """Act as operator ``who`` for the reason ``why``; return why it was refused, or nothing."""
        answer = self.ask(act(who=words(who), why=words(why), **fields))
        return answer.reason if isinstance(answer, Refused) else ""

    def kill(self, who: str, why: str) -> str:
        """Trip the kill-switch, said again to a kernel that died; return a refusal, or nothing."""
        end = time.monotonic() + KILL_S
        while True:
            try:
                return self.act(TripKillSwitch, who, why, cause=int(Cause.OPERATOR))
            except NoAnswer:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)


def fail(name: str, message: str, code: int) -> NoReturn:
    """Say one line on stderr and exit."""
    click.echo(f"dolphin {name}: {message}", err=True)
    sys.exit(code)


def age(seconds: float) -> str:
    """Return an age as a person says it: 42 s, 7 min, 3 h, 2 d."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _listed(found: Sequence[Running]) -> str:
    rows = [
        f"  {words(one.name)}  started {age(one.age_s)} ago  {words(one.folder)}" for one in found
    ]
    return "\n".join(rows)


def named(session: str, found: Sequence[Running]) -> list[Running]:
    """Return the running sessions that ``session`` may mean: by name, beginning, or folder."""
    exact = [one for one in found if one.name == session]
    begun = [one for one in found if session and one.name.startswith(session)]
    folder = os.path.realpath(session)
    there = [one for one in found if os.path.realpath(one.folder) == folder]
    return there or exact or begun


def sessions(name: str, session: str | None, *, every: bool = False) -> list[Config]:
    """Return the sessions that command ``name`` means; exits 2 where that is not clear.

    ``session`` None is the only one that runs; ``every`` means all of them.
    """
    try:
        found = running()
    except NoRegistry as error:
        fail(name, str(error), BAD_INPUT)
    if session is None:
        if not found:
            fail(name, "no session is running", BAD_INPUT)
        meant = found
        asked = f"{len(found)} sessions are running"
    else:
        if every:
            fail(name, "one of --session and --all is possible, not both", BAD_INPUT)
        meant = named(session, found)
        asked = f"--session {words(session)} may mean {len(meant)} sessions"
    if session is not None and not meant:
        # One that was started by another user, or entered elsewhere, is found by its folder.
        try:
            return [load(session)]
        except BadConfig:
            pass
        where = f"{words(session)}: no session runs by this name, and none lies there"
        fail(name, f"{where}; running: {', '.join(one.name for one in found) or 'none'}", BAD_INPUT)
    if len(meant) > 1 and not every:
        choice = "say which with --session NAME, or with its folder"
        fail(name, f"{asked}; {choice}:\n{_listed(meant)}", BAD_INPUT)
    return [one.config for one in meant]


def client_of(name: str, session: str | None) -> OperatorClient:
    """Return a connection to the session that a command means; exits 2 where there is none."""
    (config,) = sessions(name, session)
    try:
        return OperatorClient(config, patience(config))
    except NoSession as error:
        fail(name, str(error), BAD_INPUT)


def patience(config: Config) -> float:
    """Return how long to wait for a kernel, seconds: not at all for a session that has ended."""
    return KILL_S if Path(config.sockets).exists() else 0.0


def at_once[T](act: Callable[[Config], T], configs: Sequence[Config]) -> list[T]:
    """Return what ``act`` gives for each session, all of them at the same time, in their order."""
    with ThreadPoolExecutor(max_workers=max(1, len(configs))) as pool:
        return list(pool.map(act, configs))


def me() -> str:
    """Return the name of who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
