"""Calls of everything public with arguments that nobody should pass."""
