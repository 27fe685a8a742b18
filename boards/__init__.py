"""Boards that people own: one TOML file each."""
