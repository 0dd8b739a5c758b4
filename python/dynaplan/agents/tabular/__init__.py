"""Tabular agents: Dyna-Q, Dyna-Q+ and prioritized sweeping."""
