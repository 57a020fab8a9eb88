"""Unbounded proof of the kernel: proof files from the shipped source, and Nagini over them."""
