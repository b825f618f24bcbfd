"""Plots: figures drawn from events, without panels around them."""
