"""Verification of the code itself: proofs, coverage, mutants, requirements, impact."""
