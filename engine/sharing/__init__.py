"""Sharing: one run in several processes."""
