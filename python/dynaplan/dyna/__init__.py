"""Loops that learn a model while they use it."""

from dynaplan.dyna.pets import PETS as PETS
from dynaplan.dyna.pets import Iteration as Iteration
from dynaplan.dyna.pets import Learner as Learner
