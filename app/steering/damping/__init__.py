"""Damping: what each would do, and moving the recipe's."""
