"""Stand-ins for sensors the data does not hold, each computed from the bars and named as such."""
