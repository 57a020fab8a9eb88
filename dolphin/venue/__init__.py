"""The paper venue: a simulation of the exchange, in a process of its own.

``paper`` fills orders against the driver's bars; ``__main__`` is the process around it. Nothing
here is evidence of how a real exchange behaves.
"""
