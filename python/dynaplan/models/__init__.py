"""Models of a system's dynamics.

A model that exists is fitted: each class has a class method `fit`. Models are immutable and may be
shared by threads.
"""

from __future__ import annotations

from dynaplan.models.files import load as load
from dynaplan.models.functions import CompiledModel as CompiledModel
from dynaplan.models.functions import FunctionModel as FunctionModel
from dynaplan.models.jacobians import Jacobians as Jacobians
from dynaplan.models.jacobians import with_jacobians as with_jacobians
from dynaplan.models.linear_gaussian import LinearGaussian as LinearGaussian
from dynaplan.models.model import Model as Model
from dynaplan.models.model import Prediction as Prediction
from dynaplan.models.network_arrays import NetworkUnits as NetworkUnits
from dynaplan.models.networks import MLP as MLP
from dynaplan.models.networks import Ensemble as Ensemble
from dynaplan.models.networks import GaussianMLP as GaussianMLP
from dynaplan.models.training import TrainingHistory as TrainingHistory

__all__ = [
    "MLP",
    "CompiledModel",
    "Ensemble",
    "FunctionModel",
    "GaussianMLP",
    "Jacobians",
    "LinearGaussian",
    "Model",
    "NetworkUnits",
    "Prediction",
    "TrainingHistory",
    "load",
    "with_jacobians",
]
