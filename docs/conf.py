"""Sphinx configuration."""

from __future__ import annotations

import re

from amaranth.hdl import Elaboratable
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, NumpyDocstring
from sphinx.util.inspect import signature, stringify_signature

from docs import figures, room_pages  # Sphinx is started at the root of the repository

project = "hwgen"
author = "hwgen contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "alabaster"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3  # links to headings, as GitHub makes them

default_role = "py:obj"
autodoc_typehints = "none"  # the docstrings tell types, with shapes and units
autodoc_member_order = "bysource"

NUMPYDOC = Config(
    napoleon_custom_sections=[("Members", "params_style")],
    napoleon_use_param=False,  # types are words, such as "ndarray, shape (frames, rows)", not names to look up
    napoleon_use_rtype=False,
)
STAR_OF_A_SHAPE = re.compile(r"(``.*?``)|(?<=, )\*(?=\w[^)*]*[,)])")
"""A star as in (frames, *in_shape), outside of literals: it begins no emphasis."""


def write_room_pages(app: Sphinx) -> None:
    """Write the pages of the rooms as the tree is now; one that did not change is left alone, so that it is not built again."""
    room_pages.FOLDER.mkdir(exist_ok=True)
    pages = room_pages.pages()
    for stale in {path.name for path in room_pages.FOLDER.iterdir()} - set(pages):
        (room_pages.FOLDER / stale).unlink()
    for name, text in pages.items():
        path = room_pages.FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def draw_figures(app: Sphinx) -> None:
    """Draw the pages' figures from the records."""
    figures.draw()


def read_numpydoc(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Turn a docstring into what Sphinx reads; napoleon as an extension would take a property's words in front of a colon for its type."""
    escaped = [STAR_OF_A_SHAPE.sub(lambda found: found[1] or r"\*", line) for line in lines]
    what = "object" if what in ("attribute", "data", "property") else what
    lines[:] = NumpyDocstring(escaped, NUMPYDOC, app, what, name, obj, options).lines()


def show_parameters(
    app: Sphinx, what: str, name: str, obj: object, options: object, shown: str, result: str
) -> tuple[str, str] | None:
    """Show the parameters of a component's own `__init__`; Python tells those of the metaclass."""
    if not (isinstance(obj, type) and issubclass(obj, Elaboratable)):
        return None
    return stringify_signature(signature(obj.__init__, bound_method=True), show_annotation=False), result


def setup(app: Sphinx) -> None:
    """Hook them into the build."""
    app.connect("builder-inited", write_room_pages)
    app.connect("builder-inited", draw_figures)
    app.connect("autodoc-process-docstring", read_numpydoc)
    app.connect("autodoc-process-signature", show_parameters)
