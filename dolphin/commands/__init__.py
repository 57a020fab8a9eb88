"""The commands of ``dolphin``: one module each, with a click command named ``command``."""
