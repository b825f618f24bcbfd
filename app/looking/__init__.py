"""Looking: into the weights of a network, which changes nothing."""
