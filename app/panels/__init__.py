"""Panels: the views of the window; each mirrors a run and none knows another."""
