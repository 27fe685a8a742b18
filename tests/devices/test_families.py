"""What is known of a family stands in its file, and nobody else asks which family it is."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest

from hwgen.devices.families import FAMILIES
from hwgen.devices.family import Family
from tests.test_imports import imports, modules

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=repr)


@every_family
def test_a_family_has_the_name_of_its_file(family: Family) -> None:
    assert FAMILIES[family.name] is family
    module = __import__(f"hwgen.devices.{family.name}", fromlist=[family.name.upper()])
    assert getattr(module, family.name.upper()) is family


def test_only_the_table_of_families_knows_a_single_one() -> None:
    own = {f"hwgen.devices.{name}.{name.upper()}" for name in FAMILIES}
    assert {module for module, path in modules() if imports(path) & own} == {"hwgen.devices.families"}


def test_nobody_branches_on_a_family_s_name() -> None:
    words = "|".join(FAMILIES)
    wrong = [
        (module, node.lineno)
        for module, path in modules()
        if module not in {f"hwgen.devices.{name}" for name in FAMILIES}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and re.fullmatch(words, str(node.value))
    ]
    assert wrong == []


@every_family
def test_a_family_is_told_by_its_name_alone(family: Family) -> None:
    """The keys of results are made of it: a function's address would change them from run to run."""
    assert repr(family) == f"Family('{family.name}')"


@every_family
def test_files_that_a_record_names_are_there(family: Family) -> None:
    own = () if family.models is None else family.models.own
    named = [*own, *([] if family.prices is None else [family.prices])]
    scripts = [Path(word) for step in family.recipe.finish for word in step.split() if word.endswith(".v")]
    assert [path for path in (*named, *scripts) if not path.is_file()] == []


@every_family
def test_each_width_of_a_block_ram_halves_the_rows_and_keeps_the_bits(family: Family) -> None:
    """By the data sheets: from 2 bits on twice as wide at each step, where a step may add parity bits, one to each 8 bits or 4."""
    for cell in family.memories.block:
        steps = list(itertools.pairwise(width for width in cell.widths if width > 1))
        assert all(wide - 2 * narrow in (0, 1) for narrow, wide in steps), cell
        assert sum(wide > 2 * narrow for narrow, wide in steps) <= 1, cell
        assert cell.widths[0] in (1, 2), cell
