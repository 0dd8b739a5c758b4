"""dynaplan: learn how a system moves from a few hundred transitions, and control it fast, on a CPU.

`collect` or `Transitions` hold what a system did, `LinearGaussian.fit` and `Ensemble.fit` learn
from it, `evaluate` says how far ahead a model can be trusted, and `MPC` controls with a planner
such as `CEM`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dynaplan._isa import build_info as build_info
from dynaplan._isa import load_core as _load_core
from dynaplan._version import __version__ as __version__

_load_core()

if TYPE_CHECKING:
    from dynaplan import constraints as constraints
    from dynaplan import rewards as rewards
    from dynaplan import terminations as terminations
    from dynaplan.agents.interface import Agent as Agent
    from dynaplan.agents.sac.episodes import AgentEpisode as AgentEpisode
    from dynaplan.agents.sac.sac import SAC as SAC
    from dynaplan.agents.sac.settings import UpdateStatistics as UpdateStatistics
    from dynaplan.agents.tabular.dyna_q import DynaQ as DynaQ
    from dynaplan.agents.tabular.dyna_q_plus import DynaQPlus as DynaQPlus
    from dynaplan.agents.tabular.prioritized_sweeping import (
        PrioritizedSweeping as PrioritizedSweeping,
    )
    from dynaplan.control.explanation import Explanation as Explanation
    from dynaplan.control.kalman_filter import KalmanFilter as KalmanFilter
    from dynaplan.control.mpc import MPC as MPC
    from dynaplan.control.planner_thread import PlannerThread as PlannerThread
    from dynaplan.control.tuning import Trial as Trial
    from dynaplan.control.tuning import Tuning as Tuning
    from dynaplan.control.tuning import tune as tune
    from dynaplan.data.collection import collect as collect
    from dynaplan.data.driver import Episode as Episode
    from dynaplan.data.transitions import Transitions as Transitions
    from dynaplan.envs.imagined import ImaginedVectorEnv as ImaginedVectorEnv
    from dynaplan.errors import ArgumentError as ArgumentError
    from dynaplan.errors import Error as Error
    from dynaplan.errors import FailedPlanWarning as FailedPlanWarning
    from dynaplan.errors import IsaError as IsaError
    from dynaplan.errors import ModelFileError as ModelFileError
    from dynaplan.errors import NumericalError as NumericalError
    from dynaplan.errors import RankDeficientWarning as RankDeficientWarning
    from dynaplan.errors import ShapeError as ShapeError
    from dynaplan.errors import SuspectDataWarning as SuspectDataWarning
    from dynaplan.errors import UntrustedPlanWarning as UntrustedPlanWarning
    from dynaplan.errors import UntrustedStateError as UntrustedStateError
    from dynaplan.functions import signatures as signatures
    from dynaplan.functions.signatures import get_include as get_include
    from dynaplan.loops.dyna import Dyna as Dyna
    from dynaplan.loops.dyna_iteration import DynaIteration as DynaIteration
    from dynaplan.loops.interface import Learner as Learner
    from dynaplan.loops.loading import load as load
    from dynaplan.loops.mbpo import MBPO as MBPO
    from dynaplan.loops.mbpo import mbpo_paper as mbpo_paper
    from dynaplan.loops.pets import PETS as PETS
    from dynaplan.loops.pets_state import Iteration as Iteration
    from dynaplan.loops.presets import pets_cpu as pets_cpu
    from dynaplan.loops.presets import pets_paper as pets_paper
    from dynaplan.loops.schedules import LinearSchedule as LinearSchedule
    from dynaplan.loops.schedules import RolloutLengthSchedule as RolloutLengthSchedule
    from dynaplan.models.discretisation import discretise as discretise
    from dynaplan.models.functions import CompiledModel as CompiledModel
    from dynaplan.models.functions import FunctionModel as FunctionModel
    from dynaplan.models.gaussian_process.gaussian_process import (
        GaussianProcess as GaussianProcess,
    )
    from dynaplan.models.interface import Model as Model
    from dynaplan.models.interface import Prediction as Prediction
    from dynaplan.models.jacobians import Jacobians as Jacobians
    from dynaplan.models.jacobians import with_jacobians as with_jacobians
    from dynaplan.models.linear.features import Identity as Identity
    from dynaplan.models.linear.features import Polynomial as Polynomial
    from dynaplan.models.linear.linear_gaussian import LinearGaussian as LinearGaussian
    from dynaplan.models.linear.linear_model import LinearModel as LinearModel
    from dynaplan.models.linear.recursive import RecursiveLeastSquares as RecursiveLeastSquares
    from dynaplan.models.networks.arrays import NetworkUnits as NetworkUnits
    from dynaplan.models.networks.ensemble import Ensemble as Ensemble
    from dynaplan.models.networks.gaussian_mlp import GaussianMLP as GaussianMLP
    from dynaplan.models.networks.mlp import MLP as MLP
    from dynaplan.models.networks.training import TrainingHistory as TrainingHistory
    from dynaplan.planners.categorical_cem import CategoricalCEM as CategoricalCEM
    from dynaplan.planners.cem import CEM as CEM
    from dynaplan.planners.gradient_planner import GradientPlanner as GradientPlanner
    from dynaplan.planners.icem import ICEM as ICEM
    from dynaplan.planners.ilqr import ILQR as ILQR
    from dynaplan.planners.interface import Planner as Planner
    from dynaplan.planners.limits import Limits as Limits
    from dynaplan.planners.lqr import LQR as LQR
    from dynaplan.planners.lqr import lqr as lqr
    from dynaplan.planners.mppi import MPPI as MPPI
    from dynaplan.planners.plan import Plan as Plan
    from dynaplan.planners.plan import PlanStats as PlanStats
    from dynaplan.planners.presets import cem_pets as cem_pets
    from dynaplan.planners.presets import cem_planet as cem_planet
    from dynaplan.planners.presets import icem_blitz as icem_blitz
    from dynaplan.planners.presets import mppi_diffusion as mppi_diffusion
    from dynaplan.planners.presets import mppi_pytorch as mppi_pytorch
    from dynaplan.planners.random_shooting import RandomShooting as RandomShooting
    from dynaplan.planners.regulator import Regulator as Regulator
    from dynaplan.reports.delays import DelayEstimate as DelayEstimate
    from dynaplan.reports.delays import estimate_delays as estimate_delays
    from dynaplan.reports.doctor.diagnosis import diagnose as diagnose
    from dynaplan.reports.doctor.findings import Diagnosis as Diagnosis
    from dynaplan.reports.doctor.findings import Finding as Finding
    from dynaplan.rewards.terms import Reward as Reward
    from dynaplan.rollouts import risk as risk
    from dynaplan.rollouts.bands import Bands as Bands
    from dynaplan.rollouts.bands import bands as bands
    from dynaplan.rollouts.bands import calibrate_bands as calibrate_bands
    from dynaplan.rollouts.comparison import ComparedModel as ComparedModel
    from dynaplan.rollouts.comparison import Comparison as Comparison
    from dynaplan.rollouts.comparison import compare as compare
    from dynaplan.rollouts.disagreement import DisagreementLimit as DisagreementLimit
    from dynaplan.rollouts.evaluation import Evaluation as Evaluation
    from dynaplan.rollouts.evaluation import evaluate as evaluate
    from dynaplan.rollouts.imagination import Imagined as Imagined
    from dynaplan.rollouts.imagination import imagine as imagine
    from dynaplan.rollouts.risk import Risk as Risk
    from dynaplan.rollouts.rollout import returns as returns
    from dynaplan.rollouts.rollout import rollout as rollout
    from dynaplan.rollouts.selection import Selection as Selection
    from dynaplan.rollouts.selection import select as select
    from dynaplan.rollouts.trust import Trust as Trust
    from dynaplan.terminations.terms import Termination as Termination
else:
    # Imported when they are asked for, so that `import dynaplan` costs little more than NumPy's.
    _MODULES = {
        "constraints": "constraints",
        "rewards": "rewards",
        "terminations": "terminations",
        "signatures": "functions.signatures",
        "risk": "rollouts.risk",
    }
    _NAMES = {
        "agents.interface": "Agent",
        "agents.sac.episodes": "AgentEpisode",
        "agents.sac.sac": "SAC",
        "agents.sac.settings": "UpdateStatistics",
        "agents.tabular.dyna_q": "DynaQ",
        "agents.tabular.dyna_q_plus": "DynaQPlus",
        "agents.tabular.prioritized_sweeping": "PrioritizedSweeping",
        "control.explanation": "Explanation",
        "control.kalman_filter": "KalmanFilter",
        "control.mpc": "MPC",
        "control.planner_thread": "PlannerThread",
        "control.tuning": "Trial Tuning tune",
        "data.collection": "collect",
        "data.driver": "Episode",
        "data.transitions": "Transitions",
        "envs.imagined": "ImaginedVectorEnv",
        "errors": "ArgumentError Error FailedPlanWarning IsaError ModelFileError NumericalError"
        " RankDeficientWarning ShapeError SuspectDataWarning UntrustedPlanWarning"
        " UntrustedStateError",
        "functions.signatures": "get_include",
        "loops.dyna": "Dyna",
        "loops.dyna_iteration": "DynaIteration",
        "loops.interface": "Learner",
        "loops.loading": "load",
        "loops.mbpo": "MBPO mbpo_paper",
        "loops.pets": "PETS",
        "loops.pets_state": "Iteration",
        "loops.presets": "pets_cpu pets_paper",
        "loops.schedules": "LinearSchedule RolloutLengthSchedule",
        "models.discretisation": "discretise",
        "models.functions": "CompiledModel FunctionModel",
        "models.gaussian_process.gaussian_process": "GaussianProcess",
        "models.interface": "Model Prediction",
        "models.jacobians": "Jacobians with_jacobians",
        "models.linear.features": "Identity Polynomial",
        "models.linear.linear_gaussian": "LinearGaussian",
        "models.linear.linear_model": "LinearModel",
        "models.linear.recursive": "RecursiveLeastSquares",
        "models.networks.arrays": "NetworkUnits",
        "models.networks.ensemble": "Ensemble",
        "models.networks.gaussian_mlp": "GaussianMLP",
        "models.networks.mlp": "MLP",
        "models.networks.training": "TrainingHistory",
        "planners.categorical_cem": "CategoricalCEM",
        "planners.cem": "CEM",
        "planners.gradient_planner": "GradientPlanner",
        "planners.icem": "ICEM",
        "planners.ilqr": "ILQR",
        "planners.interface": "Planner",
        "planners.limits": "Limits",
        "planners.lqr": "LQR lqr",
        "planners.mppi": "MPPI",
        "planners.plan": "Plan PlanStats",
        "planners.presets": "cem_pets cem_planet icem_blitz mppi_diffusion mppi_pytorch",
        "planners.random_shooting": "RandomShooting",
        "planners.regulator": "Regulator",
        "reports.delays": "DelayEstimate estimate_delays",
        "reports.doctor.diagnosis": "diagnose",
        "reports.doctor.findings": "Diagnosis Finding",
        "rewards.terms": "Reward",
        "rollouts.bands": "Bands bands calibrate_bands",
        "rollouts.comparison": "ComparedModel Comparison compare",
        "rollouts.disagreement": "DisagreementLimit",
        "rollouts.evaluation": "Evaluation evaluate",
        "rollouts.imagination": "Imagined imagine",
        "rollouts.risk": "Risk",
        "rollouts.rollout": "returns rollout",
        "rollouts.selection": "Selection select",
        "rollouts.trust": "Trust",
        "terminations.terms": "Termination",
    }
    _HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

    def __getattr__(name: str) -> Any:
        """Imports a public name on first use."""
        if name in _MODULES:
            value = import_module(f"dynaplan.{_MODULES[name]}")
        elif name in _HOMES:
            value = getattr(import_module(f"dynaplan.{_HOMES[name]}"), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "CEM",
    "ICEM",
    "ILQR",
    "LQR",
    "MBPO",
    "MLP",
    "MPC",
    "MPPI",
    "PETS",
    "SAC",
    "Agent",
    "AgentEpisode",
    "ArgumentError",
    "Bands",
    "CategoricalCEM",
    "ComparedModel",
    "Comparison",
    "CompiledModel",
    "DelayEstimate",
    "Diagnosis",
    "DisagreementLimit",
    "Dyna",
    "DynaIteration",
    "DynaQ",
    "DynaQPlus",
    "Ensemble",
    "Episode",
    "Error",
    "Evaluation",
    "Explanation",
    "FailedPlanWarning",
    "Finding",
    "FunctionModel",
    "GaussianMLP",
    "GaussianProcess",
    "GradientPlanner",
    "Identity",
    "Imagined",
    "ImaginedVectorEnv",
    "IsaError",
    "Iteration",
    "Jacobians",
    "KalmanFilter",
    "Learner",
    "Limits",
    "LinearGaussian",
    "LinearModel",
    "LinearSchedule",
    "Model",
    "ModelFileError",
    "NetworkUnits",
    "NumericalError",
    "Plan",
    "PlanStats",
    "Planner",
    "PlannerThread",
    "Polynomial",
    "Prediction",
    "PrioritizedSweeping",
    "RandomShooting",
    "RankDeficientWarning",
    "RecursiveLeastSquares",
    "Regulator",
    "Reward",
    "Risk",
    "RolloutLengthSchedule",
    "Selection",
    "ShapeError",
    "SuspectDataWarning",
    "Termination",
    "TrainingHistory",
    "Transitions",
    "Trial",
    "Trust",
    "Tuning",
    "UntrustedPlanWarning",
    "UntrustedStateError",
    "UpdateStatistics",
    "__version__",
    "bands",
    "build_info",
    "calibrate_bands",
    "cem_pets",
    "cem_planet",
    "collect",
    "compare",
    "constraints",
    "diagnose",
    "discretise",
    "estimate_delays",
    "evaluate",
    "get_include",
    "icem_blitz",
    "imagine",
    "load",
    "lqr",
    "mbpo_paper",
    "mppi_diffusion",
    "mppi_pytorch",
    "pets_cpu",
    "pets_paper",
    "returns",
    "rewards",
    "risk",
    "rollout",
    "select",
    "signatures",
    "terminations",
    "tune",
    "with_jacobians",
]
