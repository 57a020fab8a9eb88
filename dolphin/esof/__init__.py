"""Esoteric factors: the moon and the calendar, as functions of market time."""
