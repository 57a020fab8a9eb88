"""What can be wrong with a proof's input: one line that names file, line, what was expected."""


class ProofError(ValueError):
    """A source that has no proof file, or a list of excuses that does not fit the source."""
