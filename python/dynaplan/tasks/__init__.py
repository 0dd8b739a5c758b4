"""Known environments: which one it is, what it pays, when it ends."""
