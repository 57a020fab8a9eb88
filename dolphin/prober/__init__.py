"""The probing process (level E): asks for what it may not have, so that the refusals are seen."""
