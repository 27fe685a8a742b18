"""The reference has a page for each room, and on it every module once."""

from pathlib import Path

import hwgen
from docs.room_pages import IN_A_BUILD_FOLDER, pages

ROOT = Path(__file__).parents[2]


def test_every_module_is_on_a_page_once() -> None:
    texts = "\n".join(pages().values())
    listed = [line.split(":: ")[1] for line in texts.splitlines() if line.startswith(".. automodule::")]
    files = [path for folder in ("hwgen", "rtl_templates", "sim", "boards") for path in (ROOT / folder).rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files]
    full = {name if name.split(".")[0] == "hwgen" else f"hwgen.{name}" for name in names}
    assert len(listed) == len(set(listed))
    assert set(listed) == full - {"hwgen", "hwgen.__main__"} - IN_A_BUILD_FOLDER


def test_every_public_name_is_on_the_page_of_public_names() -> None:
    page = (ROOT / "docs" / "reference.md").read_text()
    assert [name for name in hwgen.__all__ if f":: hwgen.{name}\n" not in page] == ["__version__"]


def test_public_names_are_left_to_their_page() -> None:
    entry = pages()["build_folder.md"].split(".. automodule:: hwgen.build_folder.open\n")[1].split("```")[0]
    excluded = entry.split(":exclude-members: ")[1].split("\n")[0].split(", ")
    assert {"Accelerator", "load"} <= set(excluded) <= set(hwgen.__all__)


def test_only_a_module_with_the_name_of_a_verb_is_no_target_of_links() -> None:
    entries = "".join(pages().values()).split(".. automodule:: ")
    assert [entry.split("\n")[0] for entry in entries if ":no-index:" in entry] == ["hwgen.plan"]
