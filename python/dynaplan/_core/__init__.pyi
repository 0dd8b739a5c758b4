"""Types of the compiled module, one file for each `cpp/bindings/bind_*.cpp`.

Private: the package `dynaplan` is the interface. Arrays must be C-contiguous and of the stated
dtype; a core function never converts one. Its failures are raised as classes of `dynaplan.errors`.
"""

from dynaplan._core.core import build_info as build_info
from dynaplan._core.core import pause_threads as pause_threads
from dynaplan._core.core import philox as philox
from dynaplan._core.fit import LinearGaussianFit as LinearGaussianFit
from dynaplan._core.fit import RecursiveLeastSquares as RecursiveLeastSquares
from dynaplan._core.ilqr import IlqrSettings as IlqrSettings
from dynaplan._core.ilqr import LqrSettings as LqrSettings
from dynaplan._core.ilqr import endless_regulator as endless_regulator
from dynaplan._core.ilqr import finite_regulators as finite_regulators
from dynaplan._core.models import Dynamics as Dynamics
from dynaplan._core.models import compiled_dynamics as compiled_dynamics
from dynaplan._core.models import jacobians as jacobians
from dynaplan._core.models import python_dynamics as python_dynamics
from dynaplan._core.networks import NetworkParameters as NetworkParameters
from dynaplan._core.planners import CategoricalCem as CategoricalCem
from dynaplan._core.planners import CemSettings as CemSettings
from dynaplan._core.planners import Icem as Icem
from dynaplan._core.planners import Mppi as Mppi
from dynaplan._core.planners import PlanMemory as PlanMemory
from dynaplan._core.planners import PlanProblem as PlanProblem
from dynaplan._core.planners import RandomShootingSettings as RandomShootingSettings
from dynaplan._core.planners import plan as plan
from dynaplan._core.planners import plan_batch as plan_batch
from dynaplan._core.rewards import Reward as Reward
from dynaplan._core.rewards import action_change_cost as action_change_cost
from dynaplan._core.rewards import action_cost as action_cost
from dynaplan._core.rewards import angle_reward as angle_reward
from dynaplan._core.rewards import change_reward as change_reward
from dynaplan._core.rewards import compiled_reward as compiled_reward
from dynaplan._core.rewards import direction_reward as direction_reward
from dynaplan._core.rewards import distance_reward as distance_reward
from dynaplan._core.rewards import double_pendulum_reward as double_pendulum_reward
from dynaplan._core.rewards import inside_reward as inside_reward
from dynaplan._core.rewards import linear_reward as linear_reward
from dynaplan._core.rewards import predicted_reward as predicted_reward
from dynaplan._core.rewards import product_reward as product_reward
from dynaplan._core.rewards import quadratic_reward as quadratic_reward
from dynaplan._core.rewards import scheduled_reward as scheduled_reward
from dynaplan._core.rewards import sum_reward as sum_reward
from dynaplan._core.rewards import terminal_reward as terminal_reward
from dynaplan._core.rewards import tolerance_reward as tolerance_reward
from dynaplan._core.rewards import within_reward as within_reward
from dynaplan._core.rollout import KnownGround as KnownGround
from dynaplan._core.rollout import Particles as Particles
from dynaplan._core.rollout import disagreement as disagreement
from dynaplan._core.rollout import reduce as reduce
from dynaplan._core.rollout import returns as returns
from dynaplan._core.rollout import rollout as rollout
from dynaplan._core.sac import Sac as Sac
from dynaplan._core.sac import SacSettings as SacSettings
from dynaplan._core.terminations import Termination as Termination
from dynaplan._core.terminations import compiled_termination as compiled_termination
from dynaplan._core.terminations import double_pendulum_termination as double_pendulum_termination
from dynaplan._core.terminations import inside_termination as inside_termination
from dynaplan._core.terminations import outside_termination as outside_termination
from dynaplan._core.training import NetworkFitSettings as NetworkFitSettings
from dynaplan._core.training import fit_networks as fit_networks
