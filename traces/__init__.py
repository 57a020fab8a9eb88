"""The journal: the kernel's events and results, and whether the model allows them.

Level A is what writes and reads bytes, and what the kernel's process runs at its start. The audit
and its tools are not: ``certification/level_a.toml`` lists both.

Read it in this order:

1.  ``schema``       what is recorded, derived from the kernel's classes
2.  ``checksums``    CRC-32C, the chain, the anchor's MAC
3.  ``frames``       bytes on disk, and what can be wrong with them
4.  ``codec``        events, states and outcomes as bytes
5.  ``journal``      the writer; ``ticks`` (what needs no record), ``reader``, ``ndjson``
6.  ``replay``       the fold through ``kernel.step``
7.  ``tlc``          the same records as a TLA+ module, judged by TLC against ``Kernel.tla``
8.  ``audit``        the answers in order; ``coverage``, ``explain``
9.  ``ledger``       the ledger's own book

Imports point down: ``dolphin`` imports this package, and this package imports the kernel.
"""
