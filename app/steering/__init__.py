"""Steering: what the next prune would do, and moving it; a room for each view."""
