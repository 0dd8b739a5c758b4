"""Slow, plain NumPy versions of what the core computes, written from the formulas."""
