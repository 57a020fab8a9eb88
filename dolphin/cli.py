"""``dolphin``: the command line.

Rules of this file:

*   A subcommand is a module of ``dolphin.commands`` with a click command named ``command``, loaded
    when it is asked for: ``dolphin kill`` does not wait for what ``dolphin run`` needs.
*   Exit codes of all: 0 what it claims holds, 1 it does not, 2 bad input, 3 something needed was
    not run (design 9).

Not here: any work.
"""

import importlib

import click

COMMANDS = {
    "run": "play a market session through the real process tree, audit it, report it",
    "check": "check the models with TLC",
    "audit": "did a journal's kernel ever do what its model forbids?",
    "certify": "write the evidence report of a run",
    "kill": "trip the kill-switch of the running session",
    "rearm": "lift a kill, in two steps",
    "reset-peak": "set the equity peak to the equity, in two steps",
    "status": "show the running session",
    "impact": "what hangs on a name or a difference, and what to run again",
    "verify": "contracts, properties and proofs of the kernel",
    "bench": "kernel steps and audit records per second",
}


class Lazy(click.Group):
    """A group whose subcommands are loaded when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every subcommand, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        name = f"dolphin.commands.{cmd_name.replace('-', '_')}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            return click.Command(
                cmd_name, help=COMMANDS[cmd_name], callback=lambda: _absent(cmd_name)
            )
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _absent(name: str) -> None:
    click.echo(f"dolphin {name}: not part of this version", err=True)
    raise SystemExit(3)


@click.command(cls=Lazy)
@click.version_option(package_name="dolphin-nautilus")
def main() -> None:
    """A trading system whose last word is formal."""


if __name__ == "__main__":
    main()
