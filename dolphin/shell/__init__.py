"""The kernel's process: input and output around ``kernel.step`` (DAL A).

Rules of this package:

*   ``core`` is the shell without sockets: events in, records and effects out. ``__main__`` is the
    loop around it: clocks, sockets, budgets.
*   The kernel waits for nobody. A client that floods, hangs, lies or dies costs its own channel.
*   A record is written before its effect leaves, except cancel and flatten when no record can be
    written (docs/KERNEL.md, Effects).
*   Imports go to ``kernel``, ``traces`` and ``dolphin.link`` only.
"""
