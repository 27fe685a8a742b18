"""Clock multipliers: the settings of each family's PLL that come nearest to a clock, and the cell that has them.

Limits are those of the makers' clock guides: FPGA-TN-02052 (iCE40), FPGA-TN-02200 (ECP5), UG286 and the devices' data sheets
(Gowin), the GateMate data sheet DS1001.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.devices.boards import Board, Family
from hwgen.errors import OptionError

__all__ = ["Pll", "pll"]

ICE40_FILTERS = ((17e6, 1), (26e6, 2), (44e6, 3), (66e6, 4), (101e6, 5), (float("inf"), 6))
"""Frequency at the phase detector below which each loop filter is the right one."""

GOWIN_OUTPUT_DIVISORS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
GOWIN_OSCILLATORS = {"GW1N-9C": (400e6, 1200e6), "GW2A-18C": (500e6, 1250e6)}


@dataclass(frozen=True)
class Pll:
    """A PLL with its settings.

    Parameters
    ----------
    cell : str
        Name of the family's primitive.
    hz : int
        The clock that it makes, to the nearest hertz.
    parameters : dict
        Parameters of the cell.
    clock_in, clock_out, locked : str
        Its ports.
    constants : dict
        Ports that are tied: name -> (width, value).
    feedback : (str, str) or None
        Output and input between which the loop is closed; None: inside.
    """

    cell: str
    hz: int
    parameters: dict[str, int | str]
    clock_in: str
    clock_out: str
    locked: str
    constants: dict[str, tuple[int, int]]
    feedback: tuple[str, str] | None = None


def pll(board: Board, clock_hz: float) -> Pll:
    """Find the settings that give the fastest clock up to one, from the clock at a board's pin.

    Parameters
    ----------
    board : Board
    clock_hz : float
        What the clock shall not exceed.

    Raises
    ------
    OptionError
        If the family has no PLL here, or its PLL cannot go so low.
    """
    search = {Family.ICE40: _ice40, Family.ECP5: _ecp5, Family.GOWIN: _gowin, Family.GATEMATE: _gatemate}.get(
        board.device.family
    )
    if search is None:
        raise OptionError(
            f"Board '{board.name}' runs at the clock of its pin, {board.clock.hz / 1e6:g} MHz: hwgen drives no PLL of its family"
        )
    found = max(search(board), key=lambda one: _rank(one, clock_hz), default=None)
    if found is None or found.hz > clock_hz:
        raise OptionError(
            f"The PLL of board '{board.name}' makes no clock of {clock_hz / 1e6:g} MHz or a little less; "
            f"take the clock of its pin, {board.clock.hz / 1e6:g} MHz, or a higher one"
        )
    return found


def _rank(candidate: Pll, clock_hz: float) -> tuple[bool, int]:
    """Prefer clocks that are not too fast, then fast ones; of equals the first found is kept."""
    return (candidate.hz <= clock_hz, candidate.hz if candidate.hz <= clock_hz else -candidate.hz)


def _ice40(board: Board) -> Iterator[Pll]:
    """Simple feedback: out = in * (DIVF + 1) / ((DIVR + 1) * 2 ** DIVQ)."""
    for reference in range(16):
        detector = board.clock.hz / (reference + 1)
        if not 10e6 <= detector <= 133e6:
            continue
        for factor in range(128):
            oscillator = detector * (factor + 1)
            if not 533e6 <= oscillator <= 1066e6:
                continue
            for divisor in range(1, 7):
                yield Pll(
                    cell="SB_PLL40_PAD" if board.clock.pll_pad else "SB_PLL40_CORE",
                    hz=round(oscillator / 2**divisor),
                    parameters={
                        "FEEDBACK_PATH": "SIMPLE",
                        "DIVR": reference,
                        "DIVF": factor,
                        "DIVQ": divisor,
                        "FILTER_RANGE": next(number for limit, number in ICE40_FILTERS if detector < limit),
                    },
                    clock_in="PACKAGEPIN" if board.clock.pll_pad else "REFERENCECLK",
                    clock_out="PLLOUTGLOBAL",
                    locked="LOCK",
                    constants={"RESETB": (1, 1), "BYPASS": (1, 0)},
                )


def _ecp5(board: Board) -> Iterator[Pll]:
    """Oscillator = in / CLKI_DIV * CLKOP_DIV, as the primary output, which is fed back, is as slow as the detector; out = oscillator / CLKOS_DIV."""
    for reference in range(1, 129):
        detector = board.clock.hz / reference
        if not 10e6 <= detector <= 400e6:
            continue
        for factor in range(1, 129):
            oscillator = detector * factor
            if not 400e6 <= oscillator <= 800e6:
                continue
            for divisor in range(1, 129):
                if not 3.125e6 <= oscillator / divisor <= 400e6:
                    continue
                yield Pll(
                    cell="EHXPLLL",
                    hz=round(oscillator / divisor),
                    parameters={
                        "CLKI_DIV": reference,
                        "CLKFB_DIV": 1,
                        "CLKOP_DIV": factor,
                        "CLKOP_ENABLE": "ENABLED",
                        "CLKOP_CPHASE": factor - 1,
                        "CLKOP_FPHASE": 0,
                        "CLKOS_DIV": divisor,
                        "CLKOS_ENABLE": "ENABLED",
                        "CLKOS_CPHASE": divisor - 1,
                        "CLKOS_FPHASE": 0,
                        "FEEDBK_PATH": "CLKOP",
                        "OUTDIVIDER_MUXA": "DIVA",
                        "OUTDIVIDER_MUXB": "DIVB",
                        "PLLRST_ENA": "DISABLED",
                        "INTFB_WAKE": "DISABLED",
                        "STDBY_ENABLE": "DISABLED",
                        "DPHASE_SOURCE": "DISABLED",
                    },
                    clock_in="CLKI",
                    clock_out="CLKOS",
                    locked="LOCK",
                    constants={name: (1, 0) for name in ("RST", "STDBY", "PLLWAKESYNC", "ENCLKOP", "ENCLKOS")}
                    | {name: (1, 1) for name in ("PHASEDIR", "PHASESTEP", "PHASELOADREG", "PHASESEL0", "PHASESEL1")},
                    feedback=("CLKOP", "CLKFB"),
                )


def _gowin(board: Board) -> Iterator[Pll]:
    """rPLL: out = in * (FBDIV_SEL + 1) / (IDIV_SEL + 1); the oscillator runs ODIV_SEL times as fast."""
    slowest, fastest = GOWIN_OSCILLATORS[board.device.series]
    for reference in range(64):
        detector = board.clock.hz / (reference + 1)
        if detector < 3e6:
            continue
        for factor in range(64):
            output = detector * (factor + 1)
            divisor = next((number for number in GOWIN_OUTPUT_DIVISORS if slowest <= output * number <= fastest), None)
            if divisor is None or not 4e6 <= output <= 600e6:
                continue
            yield Pll(
                cell="rPLL",
                hz=round(output),
                parameters={
                    "FCLKIN": f"{board.clock.hz / 1e6:g}",
                    "DEVICE": board.device.part.partition("-")[0] + "-" + board.device.series.partition("-")[2],
                    "IDIV_SEL": reference,
                    "FBDIV_SEL": factor,
                    "ODIV_SEL": divisor,
                    "DYN_IDIV_SEL": "false",
                    "DYN_FBDIV_SEL": "false",
                    "DYN_ODIV_SEL": "false",
                    "DYN_SDIV_SEL": 2,
                    "DYN_DA_EN": "false",
                    "PSDA_SEL": "0000",
                    "DUTYDA_SEL": "1000",
                    "CLKFB_SEL": "internal",
                    "CLKOUT_BYPASS": "false",
                    "CLKOUTP_BYPASS": "false",
                    "CLKOUTD_BYPASS": "false",
                    "CLKOUTD_SRC": "CLKOUT",
                    "CLKOUTD3_SRC": "CLKOUT",
                },
                clock_in="CLKIN",
                clock_out="CLKOUT",
                locked="LOCK",
                constants={
                    "RESET": (1, 0),
                    "RESET_P": (1, 0),
                    "CLKFB": (1, 0),
                    "FBDSEL": (6, 0),
                    "IDSEL": (6, 0),
                    "ODSEL": (6, 0),
                    "PSDA": (4, 0),
                    "DUTYDA": (4, 0),
                    "FDLY": (4, 0),
                },
            )


def _gatemate(board: Board) -> Iterator[Pll]:
    """Whole MHz: the place-and-route program finds the divisors."""
    for mhz in range(10, 251):
        yield Pll(
            cell="CC_PLL",
            hz=mhz * 1_000_000,
            parameters={
                "REF_CLK": f"{board.clock.hz / 1e6:.1f}",
                "OUT_CLK": f"{mhz:.1f}",
                "PERF_MD": "SPEED",
                "LOW_JITTER": 1,
                "CI_FILTER_CONST": 2,
                "CP_FILTER_CONST": 4,
            },
            clock_in="CLK_REF",
            clock_out="CLK0",
            locked="USR_PLL_LOCKED",
            constants={name: (1, 0) for name in ("USR_CLK_REF", "CLK_FEEDBACK", "USR_LOCKED_STDY_RST")},
        )
