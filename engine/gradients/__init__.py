"""Gradients: of single images, by batched passes, in memory or on disk."""
