"""TLC and what surrounds it: the manifest, the runner, drawings, exported tests, edges."""
