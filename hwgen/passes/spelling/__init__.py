"""Operators in terms of others, a kind of them a file."""
