"""Planners: action sequences that a model predicts to be worth most.

A planner is its settings, frozen; what changes from call to call lives in `MPC`.
"""

from dynaplan.planners.cem import CEM as CEM
from dynaplan.planners.icem import ICEM as ICEM
from dynaplan.planners.ilqr import ILQR as ILQR
from dynaplan.planners.lqr import LQR as LQR
from dynaplan.planners.lqr import Regulator as Regulator
from dynaplan.planners.lqr import lqr as lqr
from dynaplan.planners.mppi import MPPI as MPPI
from dynaplan.planners.planner import Plan as Plan
from dynaplan.planners.planner import Planner as Planner
from dynaplan.planners.planner import PlanSession as PlanSession
from dynaplan.planners.planner import PlanStats as PlanStats
from dynaplan.planners.random_shooting import RandomShooting as RandomShooting

__all__ = [
    "CEM",
    "ICEM",
    "ILQR",
    "LQR",
    "MPPI",
    "Plan",
    "PlanSession",
    "PlanStats",
    "Planner",
    "RandomShooting",
    "Regulator",
    "lqr",
]
