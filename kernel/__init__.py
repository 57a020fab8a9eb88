"""The DAL-A kernel: one pure function, ``step(state, event)``.

The rules of this package:

1.  No clock, randomness, I/O, logging, floats or globals. Time is a field of the event.
2.  Every number is an integer: parts per million, micro-USDT, milliseconds, lots.
3.  A refusal carries no state. What was refused changed nothing.
4.  Imports are a short list of the standard library, and icontract (``contracts.py`` alone).
5.  The code stays in the subset that Nagini proves (docs/STYLE.md, "Provable Python").

Read it in this order: ``constants``, ``state``, ``events``, ``outcome``, ``table``, ``step`` (over
``answers``); then the five parts, each beside its TLA+ module of the same name: ``killswitch``
(over ``causes``), ``survival`` (over ``curves``; ``reports`` beside it), ``posture`` (``bar`` moves
it), ``gate`` (over ``slots``), ``ledger`` (over ``equity``); then ``rearm`` (the operator's hand).
``invariants`` says what is always true, ``promises`` what a step never does. ``X_contract`` says
what the functions of ``X`` must do, field by field: no production code enters it.
docs/KERNEL.md is the whole contract on one page.
"""
