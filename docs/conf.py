"""Sphinx configuration."""

project = "hwgen"
author = "hwgen contributors"
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3  # links to headings, as GitHub makes them
exclude_patterns = ["_build"]
html_theme = "alabaster"
