"""The window: a mirror of the engine; knows no torch."""
