"""Window layers one behind the other: what one holds back, the ones before it feel on the predicted cycle."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.conv import Conv
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.window import Window
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.streams.stream_check import run
from hwgen.timing.predict import predict
from tests.layers.channelwise_cases import beats, random_codes

FRAMES = 3
RANDOM = np.random.default_rng(8)


def conv(size: tuple[int, int], rows: int, channels: int, window: Window) -> Conv:
    weights = RANDOM.choice([-1, 1], size=(rows, *window.kernel, channels))
    thresholds = Thresholds(RANDOM.integers(-2, 3, size=(1, rows, 1)), Positions.uniform(*window.output(*size)))
    return Conv("conv", "x", (*size, channels), BIPOLAR, weights, window, 0, thresholds, BIPOLAR)


LAYERS = (
    conv((6, 6), 4, 2, Window((3, 3), pads=(1, 1, 1, 1))),
    MaxPool("pool", "x", (6, 6, 4), BIPOLAR, Window((2, 2), (2, 2)), (False, True, False, False)),
    conv((3, 3), 3, 4, Window((2, 3), pads=(0, 1, 1, 1))),
)
CHOICES = {
    "slow in front": (Fold(2, 1), Fold(2, 2), Fold(3, 2)),
    "slow in the middle": (Fold(1, 18, window=WindowStyle.PARALLEL), Fold(1, 1), Fold(3, 1)),
    "slow at the end": (Fold(4, 18, window=WindowStyle.PARALLEL), Fold(4, 4), Fold(1, 4)),
    "parallel at the end": (Fold(4, 2), Fold(4, 4), Fold(1, 24, window=WindowStyle.PARALLEL)),
}


@pytest.mark.parametrize("slots", [None, 1, 3])
@pytest.mark.parametrize("choice", CHOICES)
def test_a_chain_is_golden_on_schedule(choice: str, slots: int | None):
    folds = [replace(fold, slots=slots) for fold in CHOICES[choice]]
    x = random_codes(np.random.default_rng(1), BIPOLAR, (FRAMES, *LAYERS[0].in_shape))
    y = x
    for layer in LAYERS:
        y = layer.golden(y)
    pairs = list(zip(LAYERS, folds, strict=True))
    units = {f"layer_{number}": layer.component(fold) for number, (layer, fold) in enumerate(pairs)}
    expected = beats(BIPOLAR, y, LAYERS[-1].folding.out_lanes(folds[-1]))
    result = run(Chain(units), beats(BIPOLAR, x, LAYERS[0].folding.input_lanes(folds[0])[0]), len(expected))
    schedules = [layer.timing(fold) for layer, fold in pairs]
    prediction = predict(schedules, FRAMES)
    assert result.payloads == expected
    assert result.taken == prediction.transfers[0].tolist()
    assert result.given == prediction.transfers[-1].tolist()
    if slots is None:
        assert predict(schedules, 8).ii == max(layer.timing(fold).interval for layer, fold in pairs)
