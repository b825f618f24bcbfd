"""Secateur's engine: prune trained networks with second-order information."""
