"""Stable-Baselines3 beside dynaplan: its algorithms in imagined environments, and as agents.

A module of its own, which imports Stable-Baselines3: `pip install stable-baselines3`.
"""

try:
    import stable_baselines3 as _stable_baselines3  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        f"dynaplan.sb3: {error}; install it by `pip install stable-baselines3`"
    ) from error

from dynaplan.sb3.agent import SB3Agent as SB3Agent
from dynaplan.sb3.vec_env import SB3VecEnv as SB3VecEnv

__all__ = ["SB3Agent", "SB3VecEnv"]
