"""Least squares: linear and polynomial models, in one go and recursively."""
