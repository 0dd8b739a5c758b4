"""Planning problems with known best values, and the least time in which planners reach them."""
