"""The audit of a journal: what judges afterwards, in a process that nothing waits for (level T).

Reading order:

1.  ``judge``     the four questions: intact, replayed, conformant, authentic
2.  ``rows``      records as rows of the trace model
3.  ``curves``    the curve tables that the trace model needs, made in decimals
4.  ``tlc``       TLC over the rows, the authority for conformance
5.  ``explain``   a rejection in words: which conjunct is false, and for which values
6.  ``coverage``  what a journal has reached of the specification
7.  ``ndjson``    journals as text

The kernel's process imports none of this; ``traces`` beside it is level A.
"""
