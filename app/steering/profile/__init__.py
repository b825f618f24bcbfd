"""Profile: the sparsity of every layer, fitted to a budget."""
