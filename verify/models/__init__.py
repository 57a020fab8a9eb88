"""TLC and what surrounds it: reader, manifest, controls, runner, drawings, exports, edges."""
