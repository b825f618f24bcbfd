"""Records: run folders and what is written there."""
