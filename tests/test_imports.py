"""Imports go one way, and each outside package comes in by one door."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
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
        "hwgen.synthesis.mapping",
        "hwgen.synthesis.harness",
    ],
    "click": ["hwgen.cli"],
    "cocotb": ["hwgen.sim"],
    "cocotb_tools": ["hwgen.sim"],
    "cocotbext": ["hwgen.sim"],
    "google": ["hwgen.frontend.load"],  # protobuf, in which ONNX files are written
    "onnx": ["hwgen.frontend"],
    "onnxruntime": ["hwgen.verification.executor"],
    "qonnx": ["hwgen.verification.executor"],
    "rich": ["hwgen.cli"],
    "serial": ["hwgen.host.link"],
    "spidev": ["hwgen.host.spi_port"],
    "subprocess": ["hwgen.tools.processes"],
}
"""Which modules may import a package; everything below a listed module is meant as well. Yosys and Verilator are programs: they come in by `hwgen.tools`."""

EVERYWHERE = {"hwgen", "numpy"}

BESIDE_THE_BENCH = {"pauses", "test_accelerator"}
"""The files that a build folder's own bench is started from."""

ROOF = {
    "hwgen.errors": "",
    "hwgen.progress": "",
    "hwgen.codes": "",
    "hwgen.activation": "",
    "hwgen.conversion": "errors",
    "hwgen.graph": "errors",
    "hwgen.fold": "codes rtl_templates",
    "hwgen.network": "errors codes conversion layers",
    "hwgen.plan": "errors fold network layers",
    "hwgen.api": "errors progress conversion network plan arrays devices frontend passes streamlining folding pipeline build_folder verification verilog",
    "hwgen": "api errors network sim verification",
    "hwgen.__main__": "cli",
}
"""The nouns and the verbs: the only modules outside a room, and what each may know."""

ROOMS = {
    "tools": "errors",
    "devices": "errors",
    "timing": "",
    "rtl_templates": "",
    "layers": "activation codes errors fold rtl_templates timing",
    "operators": "errors graph",
    "frontend": "errors graph operators",
    "passes": "errors graph operators",
    "arrays": "codes errors network",
    "streamlining": "activation codes conversion errors graph network progress arrays layers operators",
    "golden": "activation codes network layers",
    "verilog": "errors progress arrays tools",
    "pipeline": "codes errors fold network plan progress arrays layers rtl_templates timing",
    "estimation": "errors fold network plan devices layers pipeline rtl_templates",
    "folding": "codes errors fold network plan progress devices estimation layers pipeline rtl_templates",
    "sim": "errors progress arrays golden pipeline rtl_templates tools",
    "verification": "activation arrays codes conversion errors frontend golden graph layers network operators passes progress",
    "build_folder": (
        "activation codes conversion errors network plan progress arrays devices estimation folding golden layers pipeline "
        "rtl_templates sim timing verification verilog"
    ),
    "board": "errors devices rtl_templates verilog pipeline build_folder",
    "synthesis": "errors fold plan progress arrays devices tools estimation folding sim build_folder board",
    "host": (
        "errors fold network plan progress arrays devices tools layers golden rtl_templates pipeline sim build_folder "
        "board synthesis"
    ),
    "cli": (
        "errors codes conversion network progress api hwgen arrays devices estimation frontend layers streamlining pipeline folding sim build_folder board "
        "synthesis host verification"
    ),
}
"""Each room, from below to above, and what it may know besides itself."""

MOST_ON_THE_ROOF = 12

MOST_LINES = 300

LONG = {
    "hwgen/api.py": "the Python interface: few statements, and what each parameter means",
    "hwgen/host/link.py": "the protocol, request by request",
    "hwgen/layers/matvec.py": "one matrix in all the hardware's terms",
    "rtl_templates/compute/mvtu.py": "the largest unit, and its bill",
    "rtl_templates/compute/segments.py": "one formula in all the ways in which its tables let it be built, and the bill of each",
    "rtl_templates/link/host_link.py": "one state machine",
}
"""Files that may be longer, and why."""


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            inside_link = package == "hwgen" and parts[0] in ("rtl_templates", "sim", "boards")
            if not inside_link:
                yield ".".join([package, *parts]).removesuffix(".__init__"), path


@cache
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


def room(name: str) -> str:
    """Give the room of a module's name, or the name under the roof of one that has none."""
    if name.partition(".")[0] != "hwgen":
        return ""
    return [*name.split("."), "hwgen"][1]


def law() -> dict[str, set[str]]:
    """Give what each room and each module of the roof may know."""
    roof = {name.removeprefix("hwgen."): known for name, known in ROOF.items()}
    return {place: set(known.split()) for place, known in (roof | ROOMS).items()}


def test_the_law_names_every_room_and_no_other() -> None:
    assert {room(module) for module, _ in modules()} == set(law())


def test_the_law_has_no_circle() -> None:
    assert set(TopologicalSorter(law()).static_order()) == set(law())


@pytest.mark.parametrize("place", law())
def test_a_room_knows_only_what_it_may_know(place: str) -> None:
    wrong = [
        (module, name)
        for module, path in modules()
        if room(module) == place
        for name in imports(path)
        if within(name, "hwgen") and room(name) not in law()[place] | {place}
    ]
    assert wrong == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    known = {module for module, _ in modules()}

    def module_of(name: str) -> str:
        return name if name in known else name.rpartition(".")[0]

    graph = {module: {module_of(name) for name in imports(path) if within(name, "hwgen")} for module, path in modules()}
    TopologicalSorter(graph).prepare()


def test_the_roof_holds_the_verbs_and_the_nouns_alone() -> None:
    files = list((ROOT / "hwgen").glob("*.py"))
    assert {f"hwgen.{path.stem}".removesuffix(".__init__") for path in files} == set(ROOF)
    assert len(files) <= MOST_ON_THE_ROOF


def test_files_are_short_or_say_why_not() -> None:
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for _, path in modules()}
    assert {path for path, count in lines.items() if count > MOST_LINES} == set(LONG)


def test_tests_stand_where_the_rooms_are() -> None:
    beside = {"benchmarks", "docs", "examples", "fixtures", "hostile"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - beside <= set(ROOMS)
    assert set(ROOMS) <= folders


def test_linked_folders_are_imported_by_their_full_name() -> None:
    bare = ("rtl_templates", "sim", "boards")
    wrong = [
        (module, name) for module, path in modules() for name in imports(path) if any(within(name, b) for b in bare)
    ]
    assert wrong == []
