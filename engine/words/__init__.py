"""Words: what people read on the terminal and in the window."""
