"""Environments: mazes, and models as environments."""
