"""Planners: action sequences that a model predicts to be worth most.

A planner is its settings, frozen; what changes from call to call lives in `MPC`.
"""
