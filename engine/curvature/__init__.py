"""Curvature: what a fitted estimator answers, and the linear algebra behind it."""
