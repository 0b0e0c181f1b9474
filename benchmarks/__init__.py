"""Training speed beside other libraries, side by side in one run: ``python -m benchmarks``."""
