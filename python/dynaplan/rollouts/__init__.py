"""Models rolled out over time: returns, risk, imagination, evaluation."""
