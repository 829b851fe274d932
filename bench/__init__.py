"""Benchmarks: ``python -m bench.PART [--json] [--quick]``; one module per part."""
