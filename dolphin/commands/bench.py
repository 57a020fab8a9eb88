"""``dolphin bench``: the command of ``verify/bench.py`` under the common roof."""

from verify.bench import command

__all__ = ["command"]
