"""Thresholds: the cut through the saliencies, moved by hand, and its forecast."""
