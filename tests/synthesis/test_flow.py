import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import hwgen
from hwgen.cli import main
from hwgen.devices.boards import devices, find_board, find_device
from hwgen.devices.ecp5 import ECP5
from hwgen.devices.family import Family
from hwgen.devices.gatemate import GATEMATE
from hwgen.devices.gowin import GOWIN
from hwgen.devices.ice40 import ICE40
from hwgen.devices.nexus import NEXUS
from hwgen.devices.usage import Usage
from hwgen.devices.xilinx7 import XILINX7
from hwgen.errors import BuildError, OptionError, ToolError
from hwgen.estimation.harness_bill import harness_usage
from hwgen.pipeline.layout import lay_out
from hwgen.synthesis import flow, job, keep, mapping, place, recipe, synthesise
from hwgen.tools import toolchain
from hwgen.tools.processes import Task, run_all
from tests.small_networks import mlp

FILES = {
    "cells.json",
    "manifest.json",
    "mapped.v",
    "netlist.json",
    "nextpnr.log",
    "result.json",
    "routed.v",
    "timing.json",
    "yosys.log",
}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthesis") / "build"
    hwgen.build(hwgen.plan(mlp(8, 4, 3), min_area=True), folder)
    return folder


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep here what a failing tool leaves behind."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(keep.tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def fresh(build: Path) -> Iterator[Path]:
    """The same build folder without any results."""
    yield build
    shutil.rmtree(build / "synth", ignore_errors=True)


@pytest.fixture(scope="module")
def on_ice40(tmp_path_factory: pytest.TempPathFactory, build: Path) -> Path:
    """A build folder with a result for up5k, by the command line."""
    folder = tmp_path_factory.mktemp("placed") / "build"
    shutil.copytree(build, folder)
    assert main.main(["synth", str(folder), "--device", "up5k", "--seed", "3", "-q"]) == 0
    return folder


def facts_of(folder: Path) -> dict:
    return json.loads((folder / "synth" / "up5k" / "result.json").read_text())


def test_a_design_is_mapped_placed_and_routed(on_ice40: Path) -> None:
    facts = facts_of(on_ice40)
    assert facts["out_of_context"] is True
    assert facts["fits"] is True
    assert 0 < facts["resources"]["luts"] < 5280
    assert facts["clock_goal_mhz"] == 30
    assert facts["clock_met"] == (facts["fmax_mhz"] >= 30)
    assert facts["seeds"] == {"3": facts["fmax_mhz"]}
    assert facts["clocks"] == {"aclk": {"fmax_mhz": facts["fmax_mhz"], "goal_mhz": 30}}
    assert facts["frames_per_second_at_fmax"] == round(facts["fmax_mhz"] * 1e6 / facts["ii"], 1)
    assert all(0 <= seconds < 3600 for seconds in facts["seconds"].values())
    assert set(facts["tools"]) == {"pyosys", "nextpnr-ice40"}
    assert {path.name for path in (on_ice40 / "synth" / "up5k").iterdir()} == FILES


def test_the_report_shows_the_estimate_beside_what_was_counted(
    on_ice40: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, accelerator = facts_of(on_ice40), hwgen.load(on_ice40)
    found = keep.synthesised(on_ice40)
    assert list(found) == ["up5k"]
    assert found["up5k"]["counted"] == facts["resources"]
    assert found["up5k"]["estimated"] == accelerator.report["estimates"]["up5k"]["total"]
    assert found["up5k"]["fmax_mhz"] == facts["fmax_mhz"]
    assert facts["harness"]["ffs"] == harness_usage(lay_out(accelerator.plan)).ffs
    assert facts["harness"]["luts"] == harness_usage(lay_out(accelerator.plan)).luts
    assert main.main(["report", str(on_ice40), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["synthesised"] == found
    assert main.main(["report", str(on_ice40)]) == 0
    assert "Synthesised for up5k" in capsys.readouterr().out


def test_a_build_that_was_not_synthesised_has_nothing_beside_its_estimates(fresh: Path) -> None:
    assert keep.synthesised(fresh) == {}


def test_the_critical_path_takes_the_clock_s_period(on_ice40: Path) -> None:
    facts = facts_of(on_ice40)
    path = facts["critical_path"]
    assert 1e3 / path["delay_ns"] == pytest.approx(facts["fmax_mhz"], rel=1e-3)
    assert path["delay_ns"] == pytest.approx(sum(segment["delay_ns"] for segment in path["segments"]), abs=1e-2)
    assert (path["segments"][0]["kind"], path["segments"][-1]["kind"]) == ("clk-to-q", "setup")


def test_nothing_is_optimised_away_when_harness_and_accelerator_become_one(on_ice40: Path) -> None:
    folder = on_ice40 / "synth" / "up5k"
    modules = json.loads((folder / "netlist.json").read_text())["modules"]
    cells = [cell["type"] for cell in modules["harness"]["cells"].values()]
    whole = recipe.count(ICE40, {kind: cells.count(kind) for kind in set(cells)})
    facts = facts_of(on_ice40)
    assert whole == Usage(**{name: facts["resources"][name] + facts["harness"][name] for name in facts["resources"]})


def test_the_harness_holds_one_register_for_each_bit_of_a_port(on_ice40: Path) -> None:
    verilog = next(path for path in (on_ice40 / "rtl").glob("*.v") if not path.stem.endswith("_inst"))
    ports = mapping.ports_of(verilog.read_text(), verilog.stem)
    assert ports["s_axis_tdata"] == (True, 8)
    assert ports["m_axis_tvalid"] == (False, 1)
    bits = sum(width for name, (_, width) in ports.items() if name != "aclk")
    outputs = sum(width for inward, width in ports.values() if not inward)
    assert facts_of(on_ice40)["harness"]["ffs"] == bits
    assert facts_of(on_ice40)["harness"]["luts"] == outputs


def test_no_path_of_this_machine_is_in_the_netlist(on_ice40: Path) -> None:
    netlist = (on_ice40 / "synth" / "up5k" / "netlist.json").read_text()
    assert '"src"' not in netlist


def test_the_same_again_is_taken_from_the_folder(on_ice40: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "map_job", lambda *_: pytest.fail("mapped again"))
    again = synthesise(on_ice40, device="up5k", seeds=[3])
    assert again == facts_of(on_ice40) | {"cached": True}


def test_another_clock_takes_the_netlist_that_is_there(on_ice40: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = facts_of(on_ice40)
    monkeypatch.setattr(flow, "map_job", lambda *_: pytest.fail("mapped again"))
    changed = synthesise(on_ice40, device="up5k", seeds=[3], clock_mhz=12)
    assert changed["cached"] is False
    assert changed["clock_goal_mhz"] == 12
    assert changed["resources"] == before["resources"]


def test_a_changed_result_is_not_trusted(fresh: Path) -> None:
    synthesise(fresh, device="up5k", place_and_route=False)
    (fresh / "synth" / "up5k" / "cells.json").write_text("{}")
    assert synthesise(fresh, device="up5k", place_and_route=False)["cached"] is False


def test_mapping_alone_gives_no_clock(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["synth", str(fresh), "--board", "icebreaker", "--no-pnr", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["target"], facts["fmax_mhz"], facts["clock_met"]) == ("icebreaker", None, None)
    assert facts["resources"]["luts"] > 0
    assert not (fresh / "synth" / "icebreaker" / "timing.json").exists()


def test_the_table_says_that_it_is_out_of_context(on_ice40: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["synth", str(on_ice40), "--device", "up5k", "--seed", "3"]) == 0
    shown = capsys.readouterr().out
    assert "up5k (iCE40UP5K sg48), out of context" in shown
    assert "Fmax" in shown
    assert "Critical path" in shown


def test_a_clock_that_was_asked_for_and_missed_is_exit_code_1(on_ice40: Path) -> None:
    assert main.main(["synth", str(on_ice40), "--device", "up5k", "--seed", "3", "--clock-mhz", "500", "-q"]) == 1


def test_boards_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["boards"]) == 0
    assert "icebreaker" in capsys.readouterr().out
    assert main.main(["boards", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    first = next(board for board in facts["boards"] if board["name"] == "icebreaker")
    assert first["device"]["family"] == "ice40"
    assert {device["name"] for device in facts["devices"]} >= {"up5k", "xc7a35t"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "^Give either a board or a device"),
        ({"board": "icebreaker", "device": "up5k"}, "^Give either a board or a device"),
        ({"device": "up9k"}, "^The device must be one of"),
        ({"board": "arty"}, "^The board must be one of"),
        ({"device": "up5k", "seeds": [1, 1]}, "^The seeds must be different whole numbers from 0 on, not 1, 1$"),
        ({"device": "up5k", "seeds": [-1]}, "not -1$"),
        (
            {"device": "up5k", "clock_mhz": 0.0},
            "^The clock must be a positive number of MHz, from 0.001 to 2000, not 0$",
        ),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(build: Path, options: dict, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        synthesise(build, **options)


def test_what_is_no_build_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="is not a build folder"):
        synthesise(tmp_path, device="up5k")


def test_a_design_that_cannot_fit_is_refused_with_its_figures(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "find_device", lambda name: replace(find_device(name), luts=20))
    with pytest.raises(OptionError, match=r"^'mlp' needs \d+ LUTs, .*, and up5k has 20, 5,280 and 30; compile with"):
        synthesise(fresh, device="up5k")
    assert synthesise(fresh, device="up5k", place_and_route=False)["fits"] is False


def test_a_missing_program_says_what_to_install(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    assert main.main(["synth", str(fresh), "--device", "up5k"]) == 2
    assert capsys.readouterr().err == "hwgen: nextpnr-ice40 was not found; install it with: pip install hwgen[synth]\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ToolError])
def test_a_failure_leaves_the_build_folder_as_it_was(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, scratch: Path, error: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise error("in the middle")

    monkeypatch.setattr(flow, "run_all", fail)
    with pytest.raises(error):
        synthesise(fresh, device="up5k")
    assert not (fresh / "synth").exists()
    # The message of a tool's failure names a log: it must stay.
    assert bool(list(scratch.iterdir())) == (error is ToolError)


def test_a_seed_that_fails_is_told_and_the_others_count(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second_fails(tasks: list[Task], at_once: int, progress: object) -> list[ToolError | None]:
        report = {"fmax": {"clk": {"achieved": 50.0}}, "utilization": {}, "critical_paths": []}
        (tasks[0].cwd / "report1.json").write_text(json.dumps(report))
        tasks[0].log.write_text("")
        return [None, ToolError("no room")]

    monkeypatch.setattr(flow, "run_all", second_fails)
    monkeypatch.setattr(flow, "write_routed", lambda job, cells, file, scratch: (scratch / "routed.v").write_text(""))
    facts = synthesise(fresh, device="up5k", seeds=[1, 2])
    assert (facts["seeds"], facts["failed_seeds"], facts["critical_path"]) == ({"1": 50.0}, [2], None)


def test_if_every_seed_fails_the_first_failure_is_told(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "run_all", lambda *_: [ToolError("no room"), ToolError("no way")])
    with pytest.raises(ToolError, match="no room"):
        synthesise(fresh, device="up5k", seeds=[1, 2])


@pytest.mark.parametrize(
    ("family", "cells", "takes"),
    [
        (ICE40, {"SB_LUT4": 3, "SB_DFFESR": 2, "SB_CARRY": 4, "SB_RAM40_4K": 1}, Usage(3, 2, 4, 1)),
        (ICE40, {"SB_SPRAM256KA": 2, "SB_MAC16": 1, "$scopeinfo": 9}, Usage(sprams=2, dsps=1)),
        (ECP5, {"LUT4": 3, "CCU2C": 2, "TRELLIS_FF": 5, "PFUMX": 7}, Usage(luts=7, ffs=5, carries=4)),
        (ECP5, {"DP16KD": 1, "TRELLIS_DPR16X4": 2}, Usage(luts=8, brams=1, lutrams=2)),
        (GOWIN, {"LUT1": 1, "LUT4": 2, "ALU": 3, "DFFRE": 4}, Usage(luts=6, ffs=4, carries=3)),
        (GOWIN, {"SPX9": 1, "SDPB": 1, "pROM": 1, "RAM16SDP4": 1}, Usage(luts=4, brams=3, lutrams=1)),
        (
            NEXUS,
            {"LUT4": 2, "INV": 1, "DPR16X4": 1, "FD1P3IX": 2, "PDPSC16K": 1, "MULT9X9": 1},
            Usage(7, 2, 0, 1, 1, 0, 1),
        ),
        (GATEMATE, {"CC_L2T4": 2, "CC_L2T5": 1, "CC_LUT1": 1, "CC_MX4": 1, "CC_DFF": 3}, Usage(7, 3)),
        (GATEMATE, {"CC_ADDF": 2, "CC_BRAM_20K": 1, "CC_BRAM_40K": 1}, Usage(2, 0, 2, 1.5)),
        (XILINX7, {"LUT6": 2, "INV": 9, "FDRE": 3, "CARRY4": 1, "RAMB18E1": 1}, Usage(2, 3, 4, 0.5)),
    ],
)
def test_cells_are_counted_in_the_device_s_units(family: Family, cells: dict[str, int], takes: Usage) -> None:
    assert recipe.count(family, cells) == takes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("icebreaker", ["--up5k", "--package", "sg48"]),
        ("hx8k_breakout", ["--hx8k", "--package", "ct256"]),
        ("ulx3s_12f", ["--12k", "--package", "CABGA381", "--speed", "6"]),
        ("orangecrab", ["--25k", "--package", "CSFBGA285", "--speed", "8"]),
        ("tang_nano_9k", ["--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"]),
        ("tang_nano_20k", ["--device", "GW2AR-LV18QN88C8/I7", "--vopt", "family=GW2A-18C"]),
    ],
)
def test_nextpnr_is_told_the_board_s_device(name: str, words: list[str]) -> None:
    arguments = place.arguments(find_board(name).device, 1, 30, "n", "r", "p")
    assert arguments[: len(words)] == words


def test_a_report_is_read_for_its_slowest_clock(tmp_path: Path) -> None:
    def cell(name: str) -> dict:
        return {"cell": f"accelerator.{name}", "loc": [0, 0], "port": "O"}

    path = [
        {"type": "clk-to-q", "delay": 1.0, "from": cell("a.x_SB_DFF_Q_LC")},
        {"type": "routing", "delay": 2.0, "from": cell("a.x_SB_DFF_Q_LC"), "net": "accelerator.a.n"},
        {"type": "logic", "delay": 0.5, "from": cell("b.y")},
        {"type": "setup", "delay": 0.5, "from": cell("b.z")},
    ]
    slow, fast = "$glbnet$clk$TRELLIS_IO_IN", "other"
    report = {
        "fmax": {fast: {"achieved": 300.0}, slow: {"achieved": 250.0}},
        "utilization": {"LC": {"used": 3, "available": 9}, "PLL": {"used": 0, "available": 1}},
        "critical_paths": [
            {"from": f"posedge {fast}", "to": f"posedge {fast}", "path": []},
            {"from": f"posedge {slow}", "to": "<async>", "path": []},
            {"from": f"posedge {slow}", "to": f"posedge {slow}", "path": path},
        ],
    }
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    found = place.read_report(file, 7)
    assert (found.seed, found.slowest_mhz, found.fmax_mhz) == (7, 250.0, {"other": 300.0, "aclk": 250.0})
    assert found.utilization == {"LC": (3, 9)}
    assert found.path is not None
    assert (found.path.delay_ns, found.path.routing_ns, found.path.levels, found.path.units) == (
        4.0,
        2.0,
        1,
        ("a", "b"),
    )
    assert [segment.cell for segment in found.path.segments] == ["a.x", "a.x", "b.y", "b.z"]


def python(folder: Path, number: int, script: str) -> Task:
    return Task([sys.executable, "-c", script], folder, folder / f"{number}.log")


def test_programs_run_beside_one_another(tmp_path: Path) -> None:
    scripts = ["print('good')", "import sys; print('bad'); sys.exit(3)", "print('good')"]
    done: list[int] = []
    failures = run_all([python(tmp_path, number, script) for number, script in enumerate(scripts)], 2, done.append)
    assert [failure is None for failure in failures] == [True, False, True]
    assert "failed with exit code 3" in str(failures[1])
    assert "bad" in str(failures[1])
    assert done[-1] == 3


def test_all_programs_end_with_an_interruption(tmp_path: Path) -> None:
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    late = f"import time; time.sleep(3); open({str(tmp_path / 'late')!r}, 'w')"
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_all([python(tmp_path, 0, "pass"), python(tmp_path, 1, late)], 2, interrupt)
    assert time.monotonic() - started < 3
    time.sleep(3.5)
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("up5k", "synth_ice40 -dff -device u -dsp -spram"),
        ("hx8k", "synth_ice40 -dff -device hx"),
        ("ecp5-85", "synth_ecp5 -nowidelut"),
        ("gw1nr-9", "synth_gowin -nowidelut -noiopads -family gw1n"),
        ("gw2ar-18", "synth_gowin -nowidelut -noiopads -family gw2a"),
        ("lifcl-40", "synth_nexus -family lifcl -noccu2 -nowidelut"),
        ("ccgm1a1", "synth_gatemate -luttree -nomx8 -nomult -noiopad -noclkbuf"),
    ],
)
def test_a_device_gets_its_own_recipe(name: str, command: str) -> None:
    assert find_device(name).family.recipe.mapper(find_device(name)) == command


def test_resets_are_taken_apart_before_gatemate_s_memories_are_mapped() -> None:
    whole = "synth_gatemate -luttree -nomx8 -nomult -noiopad -noclkbuf -top top"
    between = ["dffunmap -srst-only", "opt_dff -nosdff", "opt_clean", "memory"]
    device = find_device("ccgm1a1")
    assert recipe.mapping(device, "top", ["memory"]) == [
        f"{whole} -run begin:map_bram",
        *between,
        f"{whole} -run map_bram:",
    ]
    assert recipe.mapping(find_device("hx8k"), "top") == ["synth_ice40 -dff -device hx -top top"]


KINDS = {
    ICE40: ("ICESTORM_LC", "ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP"),
    ECP5: ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D"),
    GOWIN: ("LUT4", "DFF", "BSRAM", "MULT18X18"),
}
"""What nextpnr calls LUTs, flip-flops, block RAMs and multipliers."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, device in devices().items() if device.family in KINDS])
def test_every_device_is_placed_and_routed_and_holds_what_its_record_says(fresh: Path, name: str) -> None:
    facts = synthesise(fresh, device=name)
    assert facts["fmax_mhz"] > 20
    assert facts["critical_path"]["levels"] > 0
    assert set(facts["clocks"]) == {"aclk"}
    device = find_device(name)
    report = json.loads((fresh / "synth" / name / "timing.json").read_text())["utilization"]
    available = [report.get(kind, {"available": 0})["available"] for kind in KINDS[device.family]]
    assert available == [device.luts, device.ffs, device.bram_blocks, device.dsps]


@pytest.mark.slow
def test_7_series_gives_resources_and_says_why_no_more(fresh: Path) -> None:
    facts = synthesise(fresh, device="xc7a35t")
    assert facts["resources"]["luts"] > 0
    assert facts["fmax_mhz"] is None
    assert "no open program places and routes xc7a35tcpg236-1" in facts["notes"][0]
