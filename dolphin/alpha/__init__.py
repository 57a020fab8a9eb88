"""The strategy (alpha): signal, size and exit. It requests orders; the kernel decides."""
