"""Loops that learn a model while they use it."""

from dynaplan.dyna.imagining import Dyna as Dyna
from dynaplan.dyna.mbpo import MBPO as MBPO
from dynaplan.dyna.mbpo import mbpo_paper as mbpo_paper
from dynaplan.dyna.pace import GrowingSteps as GrowingSteps
from dynaplan.dyna.pets import PETS as PETS
from dynaplan.dyna.pets import Iteration as Iteration
from dynaplan.dyna.pets import Learner as Learner
from dynaplan.dyna.presets import pets_cpu as pets_cpu
from dynaplan.dyna.presets import pets_paper as pets_paper
from dynaplan.dyna.progress import DynaIteration as DynaIteration
from dynaplan.dyna.rollout_length import LengthSchedule as LengthSchedule
from dynaplan.dyna.tabular import DynaQ as DynaQ
from dynaplan.dyna.tabular import DynaQPlus as DynaQPlus
from dynaplan.dyna.tabular import PrioritizedSweeping as PrioritizedSweeping
from dynaplan.dyna.tabular_agent import Episode as Episode
