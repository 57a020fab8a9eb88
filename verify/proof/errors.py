"""Errors in a proof's input: one line each, with file, line and what was expected."""


class ProofError(ValueError):
    """A source that has no proof file, or a list of excuses that does not fit the source."""
