"""Agents: policies and values that learn from transitions, real or imagined."""
