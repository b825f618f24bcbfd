"""Steering: what the next prune would do, and moving it."""
