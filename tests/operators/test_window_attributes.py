"""Windows whose attributes make no sense, on both sides of each bound."""

from __future__ import annotations

import re

import pytest

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.operators.window_attributes import hold_window


@pytest.mark.parametrize(
    ("name", "least"), [("strides", 1), ("dilations", 1), ("pads", 0), ("kernel_shape", 1), ("output_padding", 0)]
)
@pytest.mark.parametrize("rank", [1, 2])
def test_numbers_of_a_window_are_as_many_as_its_axes_and_not_too_small(name: str, least: int, rank: int) -> None:
    count = 2 * rank if name == "pads" else rank

    def node(*numbers: int) -> Node:
        return Node("Conv", "conv", ("x", "w"), ("y",), {name: numbers})

    hold_window(node(*[least] * count), rank)
    for numbers in (
        [least - 1] * count,
        [*[9] * (count - 1), least - 1],
        [least] * (count + 1),
        [9] * (count - 1) or [9] * 7,
    ):
        message = f"Node 'conv' (Conv) has {name} {tuple(numbers)}, but a window over {rank} "
        with pytest.raises(ModelError, match=re.escape(message)) as raised:
            hold_window(node(*numbers), rank)
        assert str(raised.value).endswith(f"has {count} of them, none below {least}")
