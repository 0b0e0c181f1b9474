"""Speed beside other libraries, in one run: ``python -m benchmarks``; see CONTRIBUTING.md."""
