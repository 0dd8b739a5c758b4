"""Data: transitions, their rows, and how they are collected."""
