"""Planners: action sequences that a model predicts to be worth most.

A planner is its settings, frozen; what changes from call to call lives in `MPC`.
"""

from dynaplan.planners.categorical_cem import CategoricalCEM as CategoricalCEM
from dynaplan.planners.cem import CEM as CEM
from dynaplan.planners.icem import ICEM as ICEM
from dynaplan.planners.ilqr import ILQR as ILQR
from dynaplan.planners.lqr import LQR as LQR
from dynaplan.planners.lqr import Regulator as Regulator
from dynaplan.planners.lqr import lqr as lqr
from dynaplan.planners.mppi import MPPI as MPPI
from dynaplan.planners.plan import Plan as Plan
from dynaplan.planners.plan import PlanStats as PlanStats
from dynaplan.planners.planner import Planner as Planner
from dynaplan.planners.presets import cem_pets as cem_pets
from dynaplan.planners.presets import cem_planet as cem_planet
from dynaplan.planners.presets import icem_blitz as icem_blitz
from dynaplan.planners.presets import mppi_pytorch as mppi_pytorch
from dynaplan.planners.random_shooting import RandomShooting as RandomShooting
from dynaplan.planners.session import PlanMemory as PlanMemory
from dynaplan.planners.session import PlanProblem as PlanProblem
from dynaplan.planners.session import PlanSession as PlanSession
from dynaplan.planners.session import Policy as Policy
from dynaplan.planners.session import StateValue as StateValue

__all__ = [
    "CEM",
    "ICEM",
    "ILQR",
    "LQR",
    "MPPI",
    "CategoricalCEM",
    "Plan",
    "PlanMemory",
    "PlanProblem",
    "PlanSession",
    "PlanStats",
    "Planner",
    "Policy",
    "RandomShooting",
    "Regulator",
    "StateValue",
    "cem_pets",
    "cem_planet",
    "icem_blitz",
    "lqr",
    "mppi_pytorch",
]
