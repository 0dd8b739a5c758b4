"""What a person reads of a run: tables, lines and pictures."""
