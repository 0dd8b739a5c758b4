"""Models of a system's dynamics.

A model that exists is fitted: each class has a class method `fit`. Models are immutable and may be
shared by threads.
"""
