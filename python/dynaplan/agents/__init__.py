"""Agents: policies that learn from transitions, real or imagined."""

from dynaplan.agents.sac import SAC as SAC
from dynaplan.agents.sac_run import AgentEpisode as AgentEpisode
from dynaplan.agents.sac_settings import UpdateStatistics as UpdateStatistics
