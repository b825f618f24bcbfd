"""Forms: pages of settings generated from what the recipe's parts declare."""
