"""Problems that have no regulator: the message says why, of the matrices that were given."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        (
            ([[1.2]], [[0.0]], [1.0], [1.0]),
            r"A, B: the mode of A with eigenvalue 1.2 .* reach",
        ),
        ((np.diag([0.5, 1.0]), [[1.0], [0.0]], [1.0, 1.0], [1.0]), "eigenvalue 1.0 .* reach"),
        (([[1.0]], [[1.0]], [0.0], [1.0]), "eigenvalue 1.0 is marginally stable"),
        (([[0.5]], [[0.0]], [1.0], [0.0]), r"R: R \+ B\^T P B is singular"),
        (([[0.5]], [[1.0, 1.0]], [1.0], [0.0, 0.0]), r"R: R \+ B\^T P B is singular"),
        (([[0.5]], [[1.0]], [1.0], [-9.0]), "positive"),
    ],
)
def test_a_problem_without_a_solution_says_why(matrices, message):
    with pytest.raises(dp.NumericalError, match=message):
        dp.lqr(*matrices)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # Known of the matrices as they were given, not of those that the solver works with.
        (
            {"A": [[1.2]], "B": [[0.0]], "discount": 0.81},
            "of A with eigenvalue 1.2, times the root",
        ),
        (
            {"A": [[2.0]], "B": [[0.0]], "discount": 0.25},
            "of A with eigenvalue 2.0, times the root",
        ),
        ({"A": [[3.0]], "N": [[2.0]], "Q": [4.0]}, r"of A - B R\^-1 N\^T with eigenvalue 1.0"),
    ],
)
def test_a_message_names_an_eigenvalue_of_the_matrix_that_it_names(arguments, message):
    given = {"A": [[1.0]], "B": [[1.0]], "Q": [1.0], "R": [1.0]} | arguments
    with pytest.raises(dp.NumericalError, match=message):
        dp.lqr(**given)
