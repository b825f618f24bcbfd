"""Looks: work on a network that measures it and changes nothing."""
