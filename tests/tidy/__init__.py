"""The house's rules, as tests. Each file is one check: a pure function over text, a sample of what
it must reject, a sample of what it must let pass, and the test that runs it over the tree."""
