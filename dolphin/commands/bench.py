"""``dolphin bench``: the command of ``dolphin/bench.py`` under the common roof."""

from dolphin.bench import command

__all__ = ["command"]
