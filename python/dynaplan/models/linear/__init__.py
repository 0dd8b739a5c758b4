"""Least squares: linear and polynomial models, in batch and recursively."""
