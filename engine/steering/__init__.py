"""Steering: what a cut would do, asked before it is made."""
