"""Networks: one, with a variance, and ensembles of them."""
