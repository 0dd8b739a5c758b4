"""What may be wrong with a log, said before a model is fitted to it."""
