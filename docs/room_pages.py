"""Pages of the reference for contributors, one for each room, as Sphinx builds them from the docstrings: `docs/conf.py` writes them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import hwgen

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "rooms"

IN_A_BUILD_FOLDER = frozenset({"hwgen.sim.bench", "hwgen.sim.register_bench"})
"""Modules that can be imported in a build folder only: they read what lies beside them."""


def pages() -> dict[str, str]:
    """Give the text of every page by the name of its file: a page for each room, and one for the modules of hwgen itself."""
    top = ROOT / "hwgen"
    rooms = sorted(folder for folder in top.iterdir() if (folder / "__init__.py").exists())
    written = {
        f"{room.name}.md": page(room.name, list(_modules(room.resolve(), f"hwgen.{room.name}"))) for room in rooms
    }
    nouns = [f"hwgen.{path.stem}" for path in sorted(top.glob("*.py")) if not path.stem.startswith("__")]
    return {"hwgen.md": page("hwgen", nouns)} | written


def page(title: str, modules: list[str]) -> str:
    """Give a page with the docstring of each module, and of what it defines."""
    return "\n".join([f"# {title}", "", *(line for module in modules for line in _entry(module))])


def _modules(folder: Path, package: str) -> Iterator[str]:
    """Name the modules of a folder and of those inside it, each folder's own first."""
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).with_suffix("").parts):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join([package, *parts]).removesuffix(".__init__")
        if name not in IN_A_BUILD_FOLDER:
            yield name


def _entry(module: str) -> list[str]:
    """Give what Sphinx shows of a module: without the public names, which have a page of their own, and without what a package passes on."""
    loaded = importlib.import_module(module)
    is_package = hasattr(loaded, "__path__")
    public = [name for name in hwgen.__all__ if getattr(loaded, name, None) is getattr(hwgen, name)]
    options = [] if is_package else [":members:"]
    if public:
        options.append(f":exclude-members: {', '.join(public)}")
    if module.removeprefix("hwgen.") in hwgen.__all__:
        options.append(":no-index:")  # the verb has the name
    return [
        f"## {module}",
        "",
        "```{eval-rst}",
        f".. automodule:: {module}",
        *(f"   {option}" for option in options),
        "```",
        "",
    ]
