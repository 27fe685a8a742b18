"""Hold what hwgen made of a model to the model itself, as somebody else's executor runs it."""
