"""``dolphin bench``: the command of ``verify/bench.py``."""

from verify.bench import command

__all__ = ["command"]
