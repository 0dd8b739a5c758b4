"""Networks: with and without a variance, and ensembles."""
