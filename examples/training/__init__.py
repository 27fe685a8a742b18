"""Shared training code of the examples: binary layers, the recipe, data, export."""
