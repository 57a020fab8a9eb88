"""``python -m dolphin.ops.die_with_parent COMMAND …``: run a command that dies with its parent.

Rules of this file: the request survives exec, so what is run need know nothing of it. Used for
supervisord, which would otherwise outlive a runner that is killed.
"""

import os
import sys

from dolphin.link.process import die_with_parent


def main() -> None:
    """Become the command."""
    die_with_parent()
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
