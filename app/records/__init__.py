"""Records: what views show of a run, gathered from its events."""
