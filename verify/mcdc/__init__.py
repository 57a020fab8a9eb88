"""MC/DC for Python: which conditions have been shown to decide, and by which tests.

`python -m verify.mcdc run|report`, and `pytest -p verify.mcdc.pytest_plugin --mcdc PACKAGE`.
README.md says what is measured and what is not. Standard library only; pytest for the plugin. The
folder knows nothing of where it lies: copied elsewhere it works under that name.
"""
