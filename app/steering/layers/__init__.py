"""Layers: what the layer table changes of the recipe."""
