"""The alpha engine: signal, size and exit. It asks; it never decides."""
