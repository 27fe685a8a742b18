"""JSON that went through other hands."""

import json

import pytest

from hwgen.errors import OptionError
from hwgen.folding.json_text import read_json

BAD = {
    "words": ("{,}", r"file is not JSON: .* at line 1, column 2"),
    "nothing": ("", r"file is not JSON: .* at line 1"),
    "a hundred thousand levels": (
        "[" * 100_000,
        "file is not JSON that hwgen can use: it is nested hundreds of levels deep",
    ),
    "levels that end": ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested hundreds of levels deep"),
    "infinity": ("[1e400]", "file has the number 1e400, which is out of range"),
    "less than minus infinity": ("[-1e400]", "the number -1e400, which"),
    "no number": ('{"a": NaN}', "file has the number NaN, which is out of range"),
    "infinity by name": ("[-Infinity]", "the number -Infinity"),
    "a long number": ("9" * 5000, r"file has the number 9{20}\.\.\., which is out of range"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD)
def test_what_is_no_json_is_one_sentence(text, sentence):
    with pytest.raises(OptionError, match=sentence):
        read_json(text, "file")


def test_good_json_is_read_as_it_is():
    content = {"a": [1, -2.5, 1e300, "NaN", None, True], "b": {"c": 2**63}}
    assert read_json(json.dumps(content), "file") == content


def test_reports_may_have_infinite_numbers():
    assert read_json("[Infinity, 1e999]", "file", finite=False) == [float("inf")] * 2
