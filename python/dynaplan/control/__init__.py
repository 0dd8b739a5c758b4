"""Control: planning again at each step, and what lasts between plans."""
