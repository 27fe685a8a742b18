"""BiBench's algorithms, formulas and corruptions, as the benchmark writes them."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest

from benchmarks.bibench import architectures, energy
from benchmarks.bibench.algorithms import ALGORITHMS
from benchmarks.bibench.architectures import Architecture
from benchmarks.bibench.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from benchmarks.bibench.measure import measure
from benchmarks.bibench.metrics import compression, overall, relative_gap, speedup
from benchmarks.bibench.page import PAGE, stands, tables, written
from benchmarks.bibench.record import Record
from benchmarks.bibench.writer import Counts

TINY = {
    "vgg": Architecture("vgg", "VGG", "", (2, 6, 6), "uint8", 1 / 256, lambda net, algorithm: _vgg(net, algorithm)),
    "dfsmn": Architecture(
        "dfsmn", "DFSMN", "", (4, 8), "int8", 1 / 64, partial(architectures._dfsmn, channels=4, blocks=1)
    ),
}


def _vgg(net, algorithm):
    x = algorithm.nonlinear(net, net.real_conv(net.input, 8, 3), False)
    x = algorithm.nonlinear(net, net.norm(architectures.conv(net, algorithm, x, 8, 3, stride=2)), False)
    net.output(net.real_dense(net.flatten(algorithm.activate(net, x, False)), 3))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("architecture", TINY)
def test_every_algorithm_deploys(architecture, algorithm, tmp_path, monkeypatch):
    monkeypatch.setitem(architectures.ARCHITECTURES, architecture, TINY[architecture])
    network, folding = measure(architecture, algorithm, ["ecp5"], tmp_path)
    # A real path, that of a shortcut or of the scale K, becomes fixed point; where only signs follow, they can be right all the same.
    real = architecture == "dfsmn" or algorithm == "xnor"
    assert network["outcome"] == ("announced" if architecture == "dfsmn" else "equal")
    assert (network["fixed_bits"] is not None) == real
    assert stands(network).startswith(("off ", "equal, ") if real else "exact")
    assert folding["devices"] == 1
    assert folding["luts"] > 100
    assert folding["frames_a_second"] == pytest.approx(folding["clock_mhz"] * 1e6 / folding["cycles"], abs=0.1)


def test_ratios_are_those_of_the_bireal_paper():
    """ResNet-18 on ImageNet: Bi-Real Net's table of memory and operations (arXiv 1808.00278), by the formulas that BiBench took over."""
    counts = Counts(10_985_472, 704_040, 1_676_279_808, 137_797_632)
    assert compression(counts) == pytest.approx(11.14, abs=0.03)
    assert speedup(counts) == pytest.approx(11.06, abs=0.03)
    assert compression(Counts(5, 0, 5, 0)) == 32
    assert speedup(Counts(5, 0, 5, 0)) == 64
    assert compression(Counts(0, 5, 0, 5)) == speedup(Counts(0, 5, 0, 5)) == 1


def test_overall_is_the_quadratic_mean_of_means():
    assert overall([1, 5], [4]) == pytest.approx((0.5 * (3**2 + 4**2)) ** 0.5)
    assert relative_gap(0.9, [0.8, 0.7], 0.95, [0.9, 0.85]) == pytest.approx(2)


def test_energies_follow_the_published_ones():
    estimates = [one.luts * energy.LUT_PICOJOULES + one.blocks * energy.BLOCK_PICOJOULES for one in energy.FINN]
    shares = np.array(estimates) * energy.CLOCK_HZ * 1e-12 / [one.watts for one in energy.FINN]
    assert np.all(np.abs(shares - 1) < 0.2)


@pytest.fixture(scope="module")
def images():
    x = np.random.default_rng(2).integers(0, 256, size=(6, 3, 16, 16)).astype(np.float64)
    return np.rint((x + np.roll(x, 1, 2) + np.roll(x, 1, 3)) / 3).astype(np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_grow_and_repeat(name, images):
    found = [corrupt(images, name, level + 1) for level in range(SEVERITIES)]
    assert all(each.dtype == np.uint8 and each.shape == images.shape for each in found)
    assert np.array_equal(found[2], corrupt(images, name, 3))
    off = [float(np.mean((each.astype(float) - images) ** 2)) for each in found]
    if name == "saturate":  # towards grey twice, then away from it
        assert off[0] < off[1]
        assert off[2] < off[3] < off[4]
    else:
        assert all(low < high for low, high in itertools.pairwise(off))


def test_what_corruptions_do(images):
    grey = np.full((1, 3, 16, 16), 77, np.uint8)
    for name in ("gaussian blur", "defocus blur", "motion blur", "pixelate", "contrast", "saturate"):
        assert np.array_equal(corrupt(grey, name, 5), grey), name
    assert np.all(corrupt(grey, "brightness", 5) == 154)
    changed = corrupt(images, "contrast", 5)
    mean = images.mean(axis=(2, 3), keepdims=True)
    assert np.max(np.abs(changed - (mean + 0.15 * (images - mean)))) <= 0.5 + 1e-9
    hit = np.isin(corrupt(np.full((40, 3, 32, 32), 77, np.uint8), "impulse noise", 5), (0, 255))
    assert abs(hit.mean() - 0.07) < 0.005


def test_a_run_goes_on_where_it_ended(tmp_path):
    record = Record(tmp_path / "record.json")
    record.keep({"architecture": "ssd", "algorithm": "bnn", "outcome": "equal"})
    record.keep({"architecture": "ssd", "algorithm": "bnn", "family": "ecp5", "luts": 3})
    again = Record(tmp_path / "record.json")
    assert again.has("ssd", "bnn")
    assert again.has("ssd", "bnn", "ecp5")
    assert not again.has("ssd", "bnn", "ice40")
    assert again.get("ssd", "bnn", "ecp5")["luts"] == 3
    assert len(again.networks) == len(again.foldings) == 1


def test_the_page_shows_the_record():
    text = PAGE.read_text(encoding="utf-8")
    assert written(text, tables()) == text
