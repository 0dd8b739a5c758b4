"""dynaplan: learn how a system moves from a few hundred transitions, and control it fast, on a CPU.

`collect` or `Transitions` hold what a system did, `LinearGaussian.fit` and `Ensemble.fit` learn
from it, `evaluate` says how far ahead a model can be trusted, and `MPC` controls with a planner
such as `CEM`.
"""

from typing import TYPE_CHECKING

from dynaplan._isa import build_info as build_info
from dynaplan._isa import load_core as _load_core
from dynaplan._version import __version__ as __version__

_load_core()

from dynaplan import rewards as rewards  # noqa: E402  # the compiled module comes first
from dynaplan import terminations as terminations  # noqa: E402
from dynaplan.agents.interface import Agent as Agent  # noqa: E402
from dynaplan.agents.sac.episodes import AgentEpisode as AgentEpisode  # noqa: E402
from dynaplan.agents.sac.sac import SAC as SAC  # noqa: E402
from dynaplan.agents.sac.settings import UpdateStatistics as UpdateStatistics  # noqa: E402
from dynaplan.agents.tabular.dyna_q import DynaQ as DynaQ  # noqa: E402
from dynaplan.agents.tabular.dyna_q_plus import DynaQPlus as DynaQPlus  # noqa: E402
from dynaplan.agents.tabular.prioritized_sweeping import PrioritizedSweeping as PrioritizedSweeping  # noqa: E402
from dynaplan.control.explanation import Explanation as Explanation  # noqa: E402
from dynaplan.control.mpc import MPC as MPC  # noqa: E402
from dynaplan.control.tuning import Trial as Trial  # noqa: E402
from dynaplan.control.tuning import Tuning as Tuning  # noqa: E402
from dynaplan.control.tuning import tune as tune  # noqa: E402
from dynaplan.data.collection import collect as collect  # noqa: E402
from dynaplan.data.driver import Episode as Episode  # noqa: E402
from dynaplan.data.transitions import Transitions as Transitions  # noqa: E402
from dynaplan.errors import ArgumentError as ArgumentError  # noqa: E402
from dynaplan.errors import Error as Error  # noqa: E402
from dynaplan.errors import IsaError as IsaError  # noqa: E402
from dynaplan.errors import ModelFileError as ModelFileError  # noqa: E402
from dynaplan.errors import NumericalError as NumericalError  # noqa: E402
from dynaplan.errors import RankDeficientWarning as RankDeficientWarning  # noqa: E402
from dynaplan.errors import ShapeError as ShapeError  # noqa: E402
from dynaplan.functions import signatures as signatures  # noqa: E402
from dynaplan.functions.signatures import get_include as get_include  # noqa: E402
from dynaplan.loops.dyna import Dyna as Dyna  # noqa: E402
from dynaplan.loops.dyna_iteration import DynaIteration as DynaIteration  # noqa: E402
from dynaplan.loops.interface import Learner as Learner  # noqa: E402
from dynaplan.loops.loading import load as load  # noqa: E402
from dynaplan.loops.mbpo import MBPO as MBPO  # noqa: E402
from dynaplan.loops.mbpo import mbpo_paper as mbpo_paper  # noqa: E402
from dynaplan.loops.pets import PETS as PETS  # noqa: E402
from dynaplan.loops.pets_state import Iteration as Iteration  # noqa: E402
from dynaplan.loops.presets import pets_cpu as pets_cpu  # noqa: E402
from dynaplan.loops.presets import pets_paper as pets_paper  # noqa: E402
from dynaplan.loops.schedules import LinearSchedule as LinearSchedule  # noqa: E402
from dynaplan.loops.schedules import RolloutLengthSchedule as RolloutLengthSchedule  # noqa: E402
from dynaplan.models.functions import CompiledModel as CompiledModel  # noqa: E402
from dynaplan.models.functions import FunctionModel as FunctionModel  # noqa: E402
from dynaplan.models.interface import Model as Model  # noqa: E402
from dynaplan.models.interface import Prediction as Prediction  # noqa: E402
from dynaplan.models.jacobians import Jacobians as Jacobians  # noqa: E402
from dynaplan.models.jacobians import with_jacobians as with_jacobians  # noqa: E402
from dynaplan.models.linear.features import Identity as Identity  # noqa: E402
from dynaplan.models.linear.features import Polynomial as Polynomial  # noqa: E402
from dynaplan.models.linear.linear_gaussian import LinearGaussian as LinearGaussian  # noqa: E402
from dynaplan.models.linear.recursive import RecursiveLeastSquares as RecursiveLeastSquares  # noqa: E402
from dynaplan.models.networks.arrays import NetworkUnits as NetworkUnits  # noqa: E402
from dynaplan.models.networks.ensemble import Ensemble as Ensemble  # noqa: E402
from dynaplan.models.networks.gaussian_mlp import GaussianMLP as GaussianMLP  # noqa: E402
from dynaplan.models.networks.mlp import MLP as MLP  # noqa: E402
from dynaplan.models.networks.training import TrainingHistory as TrainingHistory  # noqa: E402
from dynaplan.planners.categorical_cem import CategoricalCEM as CategoricalCEM  # noqa: E402
from dynaplan.planners.cem import CEM as CEM  # noqa: E402
from dynaplan.planners.icem import ICEM as ICEM  # noqa: E402
from dynaplan.planners.ilqr import ILQR as ILQR  # noqa: E402
from dynaplan.planners.interface import Planner as Planner  # noqa: E402
from dynaplan.planners.limits import Limits as Limits  # noqa: E402
from dynaplan.planners.lqr import LQR as LQR  # noqa: E402
from dynaplan.planners.lqr import Regulator as Regulator  # noqa: E402
from dynaplan.planners.lqr import lqr as lqr  # noqa: E402
from dynaplan.planners.mppi import MPPI as MPPI  # noqa: E402
from dynaplan.planners.plan import Plan as Plan  # noqa: E402
from dynaplan.planners.plan import PlanStats as PlanStats  # noqa: E402
from dynaplan.planners.presets import cem_pets as cem_pets  # noqa: E402
from dynaplan.planners.presets import cem_planet as cem_planet  # noqa: E402
from dynaplan.planners.presets import icem_blitz as icem_blitz  # noqa: E402
from dynaplan.planners.presets import mppi_pytorch as mppi_pytorch  # noqa: E402
from dynaplan.planners.random_shooting import RandomShooting as RandomShooting  # noqa: E402
from dynaplan.rewards.terms import Reward as Reward  # noqa: E402
from dynaplan.rollouts import risk as risk  # noqa: E402
from dynaplan.rollouts.disagreement import DisagreementLimit as DisagreementLimit  # noqa: E402
from dynaplan.rollouts.evaluation import Evaluation as Evaluation  # noqa: E402
from dynaplan.rollouts.evaluation import evaluate as evaluate  # noqa: E402
from dynaplan.rollouts.imagination import Imagined as Imagined  # noqa: E402
from dynaplan.rollouts.imagination import imagine as imagine  # noqa: E402
from dynaplan.rollouts.risk import Risk as Risk  # noqa: E402
from dynaplan.rollouts.rollout import returns as returns  # noqa: E402
from dynaplan.rollouts.rollout import rollout as rollout  # noqa: E402
from dynaplan.terminations.terms import Termination as Termination  # noqa: E402

if TYPE_CHECKING:
    from dynaplan.envs.imagined import ImaginedVectorEnv as ImaginedVectorEnv
else:

    def __getattr__(name: str) -> type:
        """Imports what derives from Gymnasium's classes on first use, since that takes long."""
        if name != "ImaginedVectorEnv":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from dynaplan.envs.imagined import ImaginedVectorEnv  # noqa: PLC0415  # see above

        return ImaginedVectorEnv


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
    "CategoricalCEM",
    "CompiledModel",
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
    "FunctionModel",
    "GaussianMLP",
    "Identity",
    "Imagined",
    "ImaginedVectorEnv",
    "IsaError",
    "Iteration",
    "Jacobians",
    "Learner",
    "Limits",
    "LinearGaussian",
    "LinearSchedule",
    "Model",
    "ModelFileError",
    "NetworkUnits",
    "NumericalError",
    "Plan",
    "PlanStats",
    "Planner",
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
    "ShapeError",
    "Termination",
    "TrainingHistory",
    "Transitions",
    "Trial",
    "Tuning",
    "UpdateStatistics",
    "__version__",
    "build_info",
    "cem_pets",
    "cem_planet",
    "collect",
    "evaluate",
    "get_include",
    "icem_blitz",
    "imagine",
    "load",
    "lqr",
    "mbpo_paper",
    "mppi_pytorch",
    "pets_cpu",
    "pets_paper",
    "returns",
    "rewards",
    "risk",
    "rollout",
    "signatures",
    "terminations",
    "tune",
    "with_jacobians",
]
