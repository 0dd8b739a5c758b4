"""Users' functions as parts: NumPy, numba and C."""
