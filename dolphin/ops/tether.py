"""``python -m dolphin.ops.tether COMMAND …``: run a command that dies with its parent.

Rules of this file: the request survives exec, so what is run need know nothing of it. Used for
supervisord, which would otherwise outlive a runner that is killed.
"""

import os
import sys

from dolphin.link.process import tether


def main() -> None:
    """Become the command."""
    tether()
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
