"""Loops that learn a model while they use it."""
