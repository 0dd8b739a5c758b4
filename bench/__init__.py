"""Benchmarks of dynaplan beside its peers; `python -m bench --help` and bench/README.md."""
