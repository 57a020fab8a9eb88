"""Correlation matrices over several windows, their largest eigenvalue, and how fast it moves."""
