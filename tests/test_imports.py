"""Imports go one way, and each outside package comes in by one door."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"hwgen": ROOT / "hwgen", "hwgen.rtl_templates": ROOT / "rtl_templates", "hwgen.sim": ROOT / "sim"}

DOORS = {
    "amaranth": [
        "hwgen.rtl_templates",
        "hwgen.layers",
        "hwgen.pipeline",
        "hwgen.board",
        "hwgen.verilog",
        "hwgen.build_folder.write",
        "hwgen.synthesis.flow",
        "hwgen.synthesis.harness",
    ],
    "click": ["hwgen.cli"],
    "cocotb": ["hwgen.sim"],
    "cocotb_tools": ["hwgen.sim"],
    "cocotbext": ["hwgen.sim"],
    "google": ["hwgen.frontend.load"],  # protobuf, in which ONNX files are written
    "onnx": ["hwgen.frontend"],
    "rich": ["hwgen.cli"],
    "serial": ["hwgen.host.link"],
    "spidev": ["hwgen.host.spi_port"],
    "subprocess": ["hwgen.tools.processes"],
}
"""Which modules may import a package; everything below a listed module is meant as well. Yosys and Verilator are programs: they come in by `hwgen.tools`."""

EVERYWHERE = {"hwgen", "numpy"}

BESIDE_THE_BENCH = {"test_accelerator"}
"""The file that a build folder's own bench is started from."""

ABOVE = {
    "hwgen.rtl_templates": [
        "hwgen.layers",
        "hwgen.frontend",
        "hwgen.network",
        "hwgen.graph",
        "hwgen.plan",
        "hwgen.fold",
    ],
    "hwgen.layers": [
        "hwgen.frontend",
        "hwgen.graph",
        "hwgen.passes",
        "hwgen.network",
        "hwgen.plan",
        "hwgen.pipeline.stages",
        "hwgen.sim",
    ],
    "hwgen.frontend": [
        "hwgen.layers",
        "hwgen.network",
        "hwgen.streamlining.streamline",
        "hwgen.plan",
        "hwgen.rtl_templates",
        "hwgen.sim",
    ],
    "hwgen.passes": [
        "hwgen.layers",
        "hwgen.network",
        "hwgen.streamlining.streamline",
        "hwgen.plan",
        "hwgen.rtl_templates",
        "hwgen.sim",
    ],
    "hwgen.network": ["hwgen.frontend", "hwgen.graph", "hwgen.plan", "hwgen.pipeline.stages", "hwgen.sim"],
    "hwgen.plan": ["hwgen.frontend", "hwgen.graph", "hwgen.pipeline.stages", "hwgen.pipeline.accelerator", "hwgen.sim"],
    "hwgen.pipeline.stages": ["hwgen.frontend", "hwgen.graph", "hwgen.pipeline.accelerator", "hwgen.sim"],
    "hwgen.timing.predict": ["hwgen.rtl_templates", "hwgen.layers", "hwgen.frontend", "hwgen.network"],
}
"""What a module must not import because it stands above it or beside it."""


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            inside_link = package == "hwgen" and parts[0] in ("rtl_templates", "sim", "boards")
            if not inside_link:
                yield ".".join([package, *parts]).removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("package", DOORS)
def test_an_outside_package_comes_in_by_one_door(package: str) -> None:
    wrong = [
        module
        for module, path in modules()
        if any(within(name, package) for name in imports(path))
        and not any(within(module, door) for door in DOORS[package])
    ]
    assert wrong == []


def test_every_outside_package_has_a_door() -> None:
    found = {name.split(".")[0] for _, path in modules() for name in imports(path)}
    own = EVERYWHERE | BESIDE_THE_BENCH | sys.stdlib_module_names - {"subprocess"}
    assert found - own == set(DOORS)


@pytest.mark.parametrize("lower", ABOVE)
def test_a_lower_room_does_not_know_a_higher_one(lower: str) -> None:
    wrong = [
        (module, name)
        for module, path in modules()
        if within(module, lower)
        for name in imports(path)
        if any(within(name, higher) for higher in ABOVE[lower])
    ]
    assert wrong == []


def test_only_the_command_line_knows_the_command_line() -> None:
    wrong = [
        (module, name)
        for module, path in modules()
        if module not in ("hwgen.__main__", "hwgen.cli.main")
        for name in imports(path)
        if within(name, "hwgen.cli.main")
    ]
    assert wrong == []


def test_linked_folders_are_imported_by_their_full_name() -> None:
    bare = ("rtl_templates", "sim", "boards")
    wrong = [
        (module, name) for module, path in modules() for name in imports(path) if any(within(name, b) for b in bare)
    ]
    assert wrong == []


def test_the_walk_sees_every_room() -> None:
    found = {module for module, _ in modules()}
    assert {
        "hwgen.api",
        "hwgen.layers.protocol",
        "hwgen.rtl_templates.streams.width_converter",
        "hwgen.frontend",
    } <= found
