"""Rocq: whether the proofs in ``spec/rocq`` are whole (``check``), and whether the kernel's Python
gives the same values as what is proved (``compare``). ``item`` is their part of verification.
"""
