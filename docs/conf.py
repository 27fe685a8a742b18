"""Sphinx configuration."""

project = "hwgen"
author = "hwgen contributors"
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
