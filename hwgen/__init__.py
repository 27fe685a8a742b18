"""A binarized neural network in ONNX becomes a streaming FPGA accelerator in Verilog, bit-exact and cycle-exact.

>>> net = hwgen.read("model.onnx")                        # doctest: +SKIP
>>> plan = hwgen.plan(net, target_fps=10_000)             # doctest: +SKIP
>>> acc = hwgen.build(plan, "build/")                     # doctest: +SKIP
>>> acc.simulate(x).exact                                 # doctest: +SKIP
True
"""

from importlib.metadata import version

# `plan` the function takes the place of `hwgen.plan` the module here; `from hwgen.plan import Plan` works all the same.
from hwgen.api import Accelerator, build, compile, load, plan, read, verify
from hwgen.errors import BuildError, DataError, DifferenceError, HwgenError, ModelError, OptionError, ToolError
from hwgen.network import Network
from hwgen.sim.check import Engine, Simulation
from hwgen.verification.record import Verification

__all__ = [
    "Accelerator",
    "BuildError",
    "DataError",
    "DifferenceError",
    "Engine",
    "HwgenError",
    "ModelError",
    "Network",
    "OptionError",
    "Simulation",
    "ToolError",
    "Verification",
    "__version__",
    "build",
    "compile",
    "load",
    "plan",
    "read",
    "verify",
]

__version__ = version("hwgen")
