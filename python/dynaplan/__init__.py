"""dynaplan: learn how a system moves from a few hundred transitions, and control it fast, on a CPU.

The way of the data: `collect` or `Transitions`, then `LinearGaussian.fit`, `evaluate`, and `MPC`
with a planner such as `CEM`.
"""

from typing import TYPE_CHECKING

from dynaplan._isa import build_info as build_info
from dynaplan._isa import load_core as _load_core
from dynaplan._version import __version__ as __version__

_load_core()

from dynaplan import rewards as rewards  # noqa: E402  # the compiled module comes first
from dynaplan import risk as risk  # noqa: E402
from dynaplan import signatures as signatures  # noqa: E402
from dynaplan import terminations as terminations  # noqa: E402
from dynaplan.agents import SAC as SAC  # noqa: E402
from dynaplan.agents import AgentEpisode as AgentEpisode  # noqa: E402
from dynaplan.agents import UpdateStatistics as UpdateStatistics  # noqa: E402
from dynaplan.control import MPC as MPC  # noqa: E402
from dynaplan.dyna import MBPO as MBPO  # noqa: E402
from dynaplan.dyna import PETS as PETS  # noqa: E402
from dynaplan.dyna import Dyna as Dyna  # noqa: E402
from dynaplan.dyna import DynaIteration as DynaIteration  # noqa: E402
from dynaplan.dyna import DynaQ as DynaQ  # noqa: E402
from dynaplan.dyna import DynaQPlus as DynaQPlus  # noqa: E402
from dynaplan.dyna import Episode as Episode  # noqa: E402
from dynaplan.dyna import GrowingSteps as GrowingSteps  # noqa: E402
from dynaplan.dyna import Iteration as Iteration  # noqa: E402
from dynaplan.dyna import LengthSchedule as LengthSchedule  # noqa: E402
from dynaplan.dyna import PrioritizedSweeping as PrioritizedSweeping  # noqa: E402
from dynaplan.dyna import mbpo_paper as mbpo_paper  # noqa: E402
from dynaplan.dyna import pets_cpu as pets_cpu  # noqa: E402
from dynaplan.dyna import pets_paper as pets_paper  # noqa: E402
from dynaplan.envs import collect as collect  # noqa: E402
from dynaplan.errors import ArgumentError as ArgumentError  # noqa: E402
from dynaplan.errors import Error as Error  # noqa: E402
from dynaplan.errors import IsaError as IsaError  # noqa: E402
from dynaplan.errors import ModelFileError as ModelFileError  # noqa: E402
from dynaplan.errors import NumericalError as NumericalError  # noqa: E402
from dynaplan.errors import RankDeficientWarning as RankDeficientWarning  # noqa: E402
from dynaplan.errors import ShapeError as ShapeError  # noqa: E402
from dynaplan.evaluate import Evaluation as Evaluation  # noqa: E402
from dynaplan.evaluate import evaluate as evaluate  # noqa: E402
from dynaplan.explanation import Explanation as Explanation  # noqa: E402
from dynaplan.features import Identity as Identity  # noqa: E402
from dynaplan.features import Polynomial as Polynomial  # noqa: E402
from dynaplan.imagination import Imagined as Imagined  # noqa: E402
from dynaplan.imagination import imagine as imagine  # noqa: E402
from dynaplan.known_ground import KnownGround as KnownGround  # noqa: E402
from dynaplan.limits import Limits as Limits  # noqa: E402
from dynaplan.models import MLP as MLP  # noqa: E402
from dynaplan.models import CompiledModel as CompiledModel  # noqa: E402
from dynaplan.models import Ensemble as Ensemble  # noqa: E402
from dynaplan.models import FunctionModel as FunctionModel  # noqa: E402
from dynaplan.models import GaussianMLP as GaussianMLP  # noqa: E402
from dynaplan.models import Jacobians as Jacobians  # noqa: E402
from dynaplan.models import LinearGaussian as LinearGaussian  # noqa: E402
from dynaplan.models import NetworkUnits as NetworkUnits  # noqa: E402
from dynaplan.models import Prediction as Prediction  # noqa: E402
from dynaplan.models import TrainingHistory as TrainingHistory  # noqa: E402
from dynaplan.models import load as load  # noqa: E402
from dynaplan.models import with_jacobians as with_jacobians  # noqa: E402
from dynaplan.planners import CEM as CEM  # noqa: E402
from dynaplan.planners import ICEM as ICEM  # noqa: E402
from dynaplan.planners import ILQR as ILQR  # noqa: E402
from dynaplan.planners import LQR as LQR  # noqa: E402
from dynaplan.planners import MPPI as MPPI  # noqa: E402
from dynaplan.planners import CategoricalCEM as CategoricalCEM  # noqa: E402
from dynaplan.planners import Plan as Plan  # noqa: E402
from dynaplan.planners import PlanStats as PlanStats  # noqa: E402
from dynaplan.planners import RandomShooting as RandomShooting  # noqa: E402
from dynaplan.planners import Regulator as Regulator  # noqa: E402
from dynaplan.planners import cem_pets as cem_pets  # noqa: E402
from dynaplan.planners import cem_planet as cem_planet  # noqa: E402
from dynaplan.planners import icem_blitz as icem_blitz  # noqa: E402
from dynaplan.planners import lqr as lqr  # noqa: E402
from dynaplan.planners import mppi_pytorch as mppi_pytorch  # noqa: E402
from dynaplan.recursive import RecursiveLeastSquares as RecursiveLeastSquares  # noqa: E402
from dynaplan.rollouts import returns as returns  # noqa: E402
from dynaplan.rollouts import rollout as rollout  # noqa: E402
from dynaplan.signatures import get_include as get_include  # noqa: E402
from dynaplan.transitions import Transitions as Transitions  # noqa: E402
from dynaplan.tuning import Trial as Trial  # noqa: E402
from dynaplan.tuning import Tuning as Tuning  # noqa: E402
from dynaplan.tuning import tune as tune  # noqa: E402

if TYPE_CHECKING:
    from dynaplan.imagined_env import ImaginedVectorEnv as ImaginedVectorEnv
else:

    def __getattr__(name: str) -> type:
        """Imports what is made of Gymnasium's classes when it is asked for, as that takes long."""
        if name != "ImaginedVectorEnv":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from dynaplan.imagined_env import ImaginedVectorEnv  # noqa: PLC0415  # see above

        return ImaginedVectorEnv

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


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
    "AgentEpisode",
    "ArgumentError",
    "CategoricalCEM",
    "CompiledModel",
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
    "GrowingSteps",
    "Identity",
    "Imagined",
    "ImaginedVectorEnv",
    "IsaError",
    "Iteration",
    "Jacobians",
    "KnownGround",
    "LengthSchedule",
    "Limits",
    "LinearGaussian",
    "ModelFileError",
    "NetworkUnits",
    "NumericalError",
    "Plan",
    "PlanStats",
    "Polynomial",
    "Prediction",
    "PrioritizedSweeping",
    "RandomShooting",
    "RankDeficientWarning",
    "RecursiveLeastSquares",
    "Regulator",
    "ShapeError",
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
