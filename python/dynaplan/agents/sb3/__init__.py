"""Algorithms of Stable-Baselines3 as agents.

Imports Stable-Baselines3: `pip install stable-baselines3`.
"""

try:
    import stable_baselines3 as _stable_baselines3  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        f"dynaplan.agents.sb3: {error}; install it by `pip install stable-baselines3`"
    ) from error

from dynaplan.agents.sb3.agent import SB3Agent as SB3Agent

__all__ = ["SB3Agent"]
