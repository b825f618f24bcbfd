"""Looking: at a network, its weights and answers, which changes nothing."""
