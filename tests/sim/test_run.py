"""Every engine sees the same transfers, and they are the reference's."""

from dataclasses import fields, replace

import numpy as np
import pytest

from hwgen.errors import OptionError, ToolError
from hwgen.sim.record import Stimulus, Trace
from hwgen.sim.run import run_cocotb, run_icarus, run_verilator
from tests.leaky_queue import PACE, LeakyQueue
from tests.sim.running_sum import RunningSum
from tests.sim.running_sum_case import FRAME, TOOLCHAIN, Case, words


@pytest.fixture(scope="module", params=[(1, 7), (3, 5), (1, 32), (8, 8), (13, 5), (100, 9)], ids=str)
def case(request, tmp_path_factory):
    return Case(tmp_path_factory.mktemp("build"), *request.param)


def same(one: Trace, other: Trace) -> bool:
    arrays = [field.name for field in fields(Trace) if field.name != "interrupted"]
    return len(one.interrupted) == len(other.interrupted) and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for a, b in zip((*one.interrupted, one), (*other.interrupted, other), strict=True)
        for name in arrays
    )


def after_resets(trace: Trace) -> Trace:
    return replace(trace, interrupted=())


def test_any_width_at_full_rate(case, cache):
    trace = case.run(cache)
    beats = len(case.codes) * FRAME
    assert words(trace) == case.expected()
    assert np.array_equal(trace.in_cycles, np.arange(beats))
    assert np.array_equal(trace.out_cycles, np.arange(beats) + RunningSum.latency)
    assert np.array_equal(np.flatnonzero(trace.out_last) + 1, np.arange(1, len(case.codes) + 1) * FRAME)
    assert not trace.frame_error


@pytest.mark.parametrize("stall", [0.1, 0.5, 0.95])
def test_stalls_change_cycles_but_no_value(one, cache, stall):
    trace = one.run(cache, stall=stall, seed=3)
    assert words(trace) == one.expected()
    assert trace.in_cycles[0] == 0
    assert trace.out_cycles[-1] > len(trace.out_beats) + RunningSum.latency
    assert same(trace, one.run(cache, stall=stall, seed=3))
    assert not same(trace, one.run(cache, stall=stall, seed=4))


@pytest.mark.parametrize("leaky", [False, True])
def test_bursts_fill_the_buffers_behind_a_bottleneck(tmp_path, cache, leaky):
    """Single pauses pass a queue that loses beats once it is full."""
    case = Case(tmp_path, 1, 7, LeakyQueue(7, leaky=leaky))
    assert words(case.run(cache, stall=0.3)) == case.expected()
    if leaky:
        with pytest.raises(
            ToolError, match=r"^The accelerator stands still: no transfer for 3000 cycles after 500 of 500"
        ):
            case.run(cache, stall=0.3, ii=PACE * FRAME, timeout_cycles=3000)
    else:
        trace = case.run(cache, stall=0.3, ii=PACE * FRAME, timeout_cycles=200)
        assert words(trace) == case.expected()
        assert trace.out_cycles[0] >= PACE * FRAME


@pytest.mark.parametrize("reset_at", [0, 5, 6, 57, 104, 333])
def test_reset_in_any_cycle_recovers(one, cache, reset_at):
    assert same(after_resets(one.run(cache, resets=(reset_at,))), one.run(cache))


def test_what_a_reset_interrupts_is_recorded(one, cache):
    whole = one.run(cache)
    trace = one.run(cache, resets=(60, 90, 150), stall=0.9, ii=FRAME, latency=3)
    assert len(trace.interrupted) == 3
    assert trace.interrupted[0].in_cycles[-1] < 60 - 4
    for number, (part, length) in enumerate(zip(trace.interrupted[1:], (30, 60), strict=True), start=1):
        taken, given = length - 1, length - 1 - RunningSum.latency
        beats = slice(number * FRAME, number * FRAME + given)
        assert np.array_equal(part.in_cycles, whole.in_cycles[:taken])
        assert np.array_equal(part.out_beats, whole.out_beats[beats])
        assert np.array_equal(part.out_cycles, whole.out_cycles[:given])
        assert np.array_equal(part.out_last, whole.out_last[beats])
    assert same(after_resets(trace), one.run(cache, stall=0.9, ii=FRAME, latency=3))


def test_pauses_begin_anew_after_a_reset(one, cache):
    """Else a reset would cut the time short in which the sink is held and the buffers fill."""
    options = {"stall": 0.4, "ii": FRAME, "latency": 3}
    assert same(after_resets(one.run(cache, resets=(150,), **options)), one.run(cache, **options))


def test_a_wrong_tlast_is_flagged_and_loses_nothing(one, cache):
    good = one.stimulus()
    for beat in (0, FRAME - 2, FRAME - 1):
        last = good.last.copy()
        last[beat] ^= True
        trace = run_verilator(one.folder, "sums", replace(good, last=last), TOOLCHAIN, cache=cache)
        assert trace.frame_error
        assert words(trace) == one.expected()


def test_beats_beyond_the_awaited_ones_are_seen(one, cache):
    trace = run_verilator(one.folder, "sums", replace(one.stimulus(), out_beats=1), TOOLCHAIN, cache=cache)
    assert words(trace) == one.expected()


BABBLER = """module sums (
  input aclk, input aresetn, input [7:0] s_axis_tdata, input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
  output reg [7:0] m_axis_tdata, output m_axis_tvalid, input m_axis_tready, output m_axis_tlast, output frame_error
);
  assign s_axis_tready = m_axis_tdata < 8'd3;
  assign m_axis_tvalid = aresetn;
  assign m_axis_tlast = 1'b0;
  assign frame_error = 1'b0;
  always @(posedge aclk) m_axis_tdata <= aresetn ? (m_axis_tdata == 8'd200 ? 8'd100 : m_axis_tdata + 8'd1) : 8'd0;
endmodule
"""


@pytest.fixture(scope="module")
def babbler(tmp_path_factory):
    """Give an accelerator that takes three beats and gives others without end."""
    folder = tmp_path_factory.mktemp("babbler")
    (folder / "rtl").mkdir()
    (folder / "rtl/sums.v").write_text(BABBLER)
    return folder


ENDLESS = Stimulus(np.zeros((9, 1), np.uint8), np.zeros(9, bool), 1, 9)


def test_beats_without_end_come_to_an_end(babbler, cache):
    trace = run_verilator(babbler, "sums", ENDLESS, TOOLCHAIN, cache=cache)
    assert len(trace.in_cycles) == 3
    assert 9 < len(trace.out_beats) < 100


@pytest.mark.icarus
def test_beats_without_end_come_to_an_end_in_icarus(babbler, cache):
    assert same(
        run_icarus(babbler, "sums", ENDLESS, TOOLCHAIN), run_verilator(babbler, "sums", ENDLESS, TOOLCHAIN, cache=cache)
    )


def test_no_input_gives_no_output(one, cache):
    nothing = Stimulus.of_frames([one.codes[:0]], one.layout, one.layout)
    trace = run_verilator(one.folder, "sums", nothing, TOOLCHAIN, cache=cache)
    assert len(trace.in_cycles) == len(trace.out_beats) == 0


STANDSTILL = (
    "The accelerator stands still: no transfer for 200 cycles after 500 of 500 input and 500 of 501 output beats; "
    "s_axis: tvalid 0 tready 1, m_axis: tvalid 0 tready 1"
)


def test_a_deadlock_is_told_with_its_state(one, cache):
    hopeless = replace(one.stimulus(timeout_cycles=200), out_beats=501)
    with pytest.raises(ToolError, match=f"^{STANDSTILL}$"):
        run_verilator(one.folder, "sums", hopeless, TOOLCHAIN, cache=cache)


@pytest.mark.icarus
def test_a_deadlock_in_icarus_reads_the_same(one):
    hopeless = replace(one.stimulus(timeout_cycles=200), out_beats=501)
    with pytest.raises(ToolError, match=f"^{STANDSTILL}$"):
        run_icarus(one.folder, "sums", hopeless, TOOLCHAIN)


@pytest.mark.icarus
@pytest.mark.parametrize(
    "options",
    [{}, {"stall": 0.4, "seed": 9, "ii": FRAME, "latency": 3, "resets": (150, 190)}, {"resets": (150,)}],
    ids=str,
)
def test_icarus_sees_the_same_transfers(one, cache, options):
    assert same(run_icarus(one.folder, "sums", one.stimulus(**options), TOOLCHAIN), one.run(cache, **options))


@pytest.mark.icarus
def test_icarus_flags_a_wrong_tlast(one):
    last = np.zeros_like(one.stimulus().last)
    trace = run_icarus(one.folder, "sums", replace(one.stimulus(), last=last), TOOLCHAIN)
    assert trace.frame_error
    assert words(trace) == one.expected()


def test_cocotb_on_verilator_sees_the_same_transfers(one, cache):
    options = {"stall": 0.4, "seed": 9, "ii": FRAME, "latency": 3}
    assert same(run_cocotb(one.folder, "sums", one.stimulus(**options), TOOLCHAIN), one.run(cache, **options))


@pytest.mark.parametrize("suffix", [".vcd", ".fst"])
def test_waves_are_written(one, cache, tmp_path, suffix):
    waves = tmp_path / f"waves{suffix}"
    trace = run_verilator(one.folder, "sums", one.stimulus(), TOOLCHAIN, waves=waves, cache=cache)
    assert words(trace) == one.expected()
    assert b"m_axis_tdata" in waves.read_bytes()
    assert waves.stat().st_size > 10_000


def test_unknown_waves_and_stalls_are_refused(one, cache, tmp_path):
    with pytest.raises(OptionError, match=r"Waves are written as \.fst or \.vcd, not 'out\.png'"):
        run_verilator(one.folder, "sums", one.stimulus(), TOOLCHAIN, waves=tmp_path / "out.png", cache=cache)
    with pytest.raises(OptionError, match=r"cocotb on icarus writes waves as \.fst, not 'out\.vcd'"):
        run_icarus(one.folder, "sums", one.stimulus(), TOOLCHAIN, waves=tmp_path / "out.vcd")
    with pytest.raises(OptionError, match="stall_in is the share of cycles that pause, from 0 to below 1, not 1"):
        one.stimulus(stall=1)


def test_a_build_folder_that_cannot_be_written_still_runs(one, cache, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError

    stimulus = one.stimulus()
    one.run(cache)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.mkdir", refuse)
        trace = run_verilator(one.folder, "sums", stimulus, TOOLCHAIN, cache=cache)
    assert words(trace) == one.expected()
