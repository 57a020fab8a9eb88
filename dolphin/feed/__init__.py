"""Bars of market data: the panel on disk, the generated market, and what a gap means."""
