"""Comparing: methods x sparsities x seeds, as one table and picture."""
