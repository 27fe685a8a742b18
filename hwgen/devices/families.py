"""The families that hwgen knows, each in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hwgen.devices.ecp5 import ECP5
from hwgen.devices.family import Family
from hwgen.devices.gatemate import GATEMATE
from hwgen.devices.gowin import GOWIN
from hwgen.devices.ice40 import ICE40
from hwgen.devices.nexus import NEXUS
from hwgen.devices.xilinx7 import XILINX7

__all__ = ["FAMILIES"]

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (ICE40, ECP5, GOWIN, NEXUS, GATEMATE, XILINX7)}
)
"""Family by the name that ``devices.toml`` calls it by."""
