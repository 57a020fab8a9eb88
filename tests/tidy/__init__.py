"""The project's own rules, as tests.

Each file is one check: a pure function over text, samples of what it must reject and of what it
must let pass, and the test that runs it over the tree.
"""
