"""Schedule: the prunes and the learning rate to come, moved by hand."""
