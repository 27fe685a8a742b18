"""Steps of a sequence that are all alike, folded into one cell whose state goes round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hwgen.activation import Lookup, Positions
from hwgen.codes import CodeType
from hwgen.layers.concat import CHANNELS, COLUMNS, Concat
from hwgen.layers.crop import Crop
from hwgen.layers.dense import Dense
from hwgen.layers.protocol import Layer, MapShape, sources_of
from hwgen.layers.recurrent import Recurrent
from hwgen.layers.reshape import Reshape
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from hwgen.layers.size import least_size
from hwgen.layers.table import Table
from hwgen.streamlining.recurrences import POINTWISE, Chain, alike, chains, reads
from hwgen.streamlining.step_maps import Map, StepMaps

__all__ = ["folded"]


def folded(
    layers: Sequence[Layer],
    inputs: Mapping[str, Map],
    wanted: Iterable[str],
    rounded: frozenset[str],
    name: Callable[[str], str],
    note: Callable[[str], None],
) -> tuple[Layer, ...]:
    """Fold every chain of alike steps whose cell is smaller than the steps by themselves.

    Parameters
    ----------
    layers : sequence of Layer
        In topological order.
    inputs : mapping
        Shape and type of what the network takes.
    wanted : iterable of str
        Layers whose maps leave the network.
    rounded : frozenset of str
        Layers of which an error is announced: it is theirs, step by step, so they stay.
    name : callable
        Gives a layer a name that no other has.
    note : callable
        Says something to the user.
    """
    result, wanted = tuple(layers), frozenset(wanted)
    for chain in chains(layers):
        if any(step[layer.name] in rounded for step in chain.steps for layer in chain.pattern):
            continue
        folding = _Folding(result, inputs, wanted, chain, name)
        found = folding.layers()
        if found is not None and least_size(found) < least_size(result):
            result = found
            note(
                f"'{folding.cell}' is one cell for {len(chain.steps)} alike steps of a sequence, the products of "
                f"'{folding.product}' among them: it works a step after the other"
            )
    return result


class _Folding:
    """A network with one chain folded."""

    def __init__(
        self,
        layers: Sequence[Layer],
        inputs: Mapping[str, Map],
        wanted: frozenset[str],
        chain: Chain,
        name: Callable[[str], str],
    ) -> None:
        self.net = StepMaps(layers, inputs, name)
        self.known = self.net.known
        self.wanted, self.chain, self.name = wanted, chain, name
        self.cell = ""
        self.product = next(layer.name for layer in chain.pattern if isinstance(layer, Dense))
        self.pattern = {layer.name: layer for layer in chain.pattern}
        self.own = tuple(self.pattern)
        """The layers of the steps that depend on a state; others may be read from elsewhere, too."""
        self.steps = [dict(step) for step in chain.steps]
        self.outside = list(chain.outside)

    def layers(self) -> tuple[Layer, ...] | None:
        """Give all layers, None if the steps cannot be folded."""
        if any(name not in self.known for step in self.steps for name in step.values() if name not in self.net.inputs):
            return None
        self._take_in()
        products = [layer for layer in self.pattern.values() if isinstance(layer, Dense)]
        (first, *_), states = self.chain.states, list(self.chain.states)
        others = [layer for layer in self.pattern.values() if layer not in products]
        one_state = all(layer.source == first for layer in products)
        alike_sums = len({(layer.out_type.low, layer.out_type.high) for layer in products}) == 1
        if not (one_state and alike_sums and all(isinstance(layer, POINTWISE) for layer in others)):
            return None
        maps = [self.net.step_map([step[name] for step in self.steps]) for name in self.outside]
        if any(found is None for found in maps) or not self._closed() or not maps:
            return None
        refs = {name: f"step_{k}" for k, name in enumerate(self.outside)} | {
            name: f"state_{k}" for k, name in enumerate(states)
        }
        # A state can hold more and more from step to step: what it begins with is seen as what it becomes, and what the last step reads of it
        # is less than what that step yields.
        kinds = [self.pattern[part].out_type for part in self.chain.states.values()]
        narrowed: list[Layer] = []
        for k, (name, kind) in enumerate(zip(states, kinds, strict=True)):
            shape, own = self.net.map_of(name)
            if own != kind:
                narrowed.append(_bounded(self.name("narrowed"), f"state_{k}", shape, kind, own))
                refs[name] = narrowed[-1].name
        cell = [*_one_product(products, self.name), *narrowed, *others]
        cell = [reads(layer, [refs.get(source, source) for source in sources_of(layer)]) for layer in cell]
        starts = [self._widened(*each) for each in zip(self.chain.starts, kinds, strict=True)]
        sources = (*(found for found in maps if found), *starts)
        shapes, types = zip(*(self.net.map_of(source) for source in sources), strict=True)
        self.cell = self.name("recurrent")
        ends = tuple(self.chain.states.values())
        record = Recurrent(self.cell, sources, shapes, types, tuple(cell), ends)
        try:
            record.check()
        except ValueError:
            return None
        return self._in_place(record)

    def _widened(self, source: str, kind: CodeType) -> str:
        """Give the codes of a map as codes of another type, which has them all."""
        shape, own = self.net.map_of(source)
        if own == kind:
            return source
        table = np.tile(np.arange(own.low, own.high + 1), (1, shape[2], 1))
        lookup = Lookup(table, own.low, Positions.uniform(*shape[:2]))
        return self.net.added(Table(self.name("widened"), source, shape, own, lookup, kind))

    def _take_in(self) -> None:
        """Let the cell do, step by step, what is done with a pixel alone before a step reads it."""
        waiting = list(self.outside)
        while waiting:
            part = waiting.pop()
            layers = [self.known.get(step[part]) for step in self.steps]
            first = layers[0]
            if not isinstance(first, POINTWISE) or len({layer and alike(layer) for layer in layers}) > 1:
                continue
            read = [sources_of(layer) for layer in layers if layer is not None]
            if first.out_shape[:2] != (1, 1):
                continue
            own = next(layer for layer in layers if layer is not None and layer.name == self.steps[-1][part])
            self.pattern = {own.name: own, **self.pattern}
            if own.name != part:
                continue
            self.outside.remove(part)
            for place, source in enumerate(sources_of(own)):
                if source not in self.outside and source not in self.pattern:
                    self.outside.append(source)
                    waiting.append(source)
                for step, sources in zip(self.steps, read, strict=True):
                    step[source] = sources[place]

    def _closed(self) -> bool:
        """Whether nothing but the steps reads what they yield, the first state excepted."""
        seen = next(iter(self.chain.states.values()))
        inner = {step[name] for step in self.steps for name in self.pattern}
        shown = {step[seen] for step in self.steps}
        own = {step[name] for step in self.steps for name in self.own} - shown
        outer = [layer for layer in self.known.values() if layer.name not in inner]
        return not own & ({source for layer in outer for source in sources_of(layer)} | self.wanted)

    def _in_place(self, record: Recurrent) -> tuple[Layer, ...]:
        """Put the cell in the place of the steps; what others read of them are pixels of its map."""
        seen = next(iter(self.chain.states.values()))
        shown = [step[seen] for step in self.steps]
        gone = {step[name] for step in self.steps for name in self.own}
        for name in gone:
            del self.known[name]
        self.known[record.name] = record
        self._collapse(record, shown)
        read = {source for layer in self.known.values() for source in sources_of(layer)} | self.wanted
        for time, name in enumerate(shown):
            if name in read:
                window = (0, time, 1, time + 1)
                self.known[name] = Crop(name, record.name, record.out_shape, record.out_type, window)
        return self.net.in_order(self.wanted)

    def _collapse(self, record: Recurrent, shown: Sequence[str]) -> None:
        """Let whoever puts all steps behind one another take the cell's whole map."""
        for layer in list(self.known.values()):
            if not isinstance(layer, Concat) or layer.places:
                continue
            begin = next((k for k, source in enumerate(layer.sources) if source == shown[0]), None)
            if begin is None or layer.sources[begin : begin + len(shown)] != tuple(shown):
                continue
            count, channels = len(shown), record.channels
            shape = (
                (1, count, channels)
                if layer.axis == COLUMNS
                else (1, 1, count * channels)
                if layer.axis == CHANNELS
                else (count, 1, channels)
            )
            source = record.name
            if shape != record.out_shape:
                source = self.net.added(Reshape(self.name("reshape"), source, record.out_shape, record.out_type, shape))

            end = begin + count
            changed = replace(
                layer,
                sources=(*layer.sources[:begin], source, *layer.sources[end:]),
                in_shapes=(*layer.in_shapes[:begin], shape, *layer.in_shapes[end:]),
                in_types=(*layer.in_types[:begin], record.out_type, *layer.in_types[end:]),
            )
            if len(changed.sources) > 1:
                self.known[layer.name] = changed


def _bounded(name: str, source: str, shape: MapShape, kind: CodeType, bounds: CodeType) -> Segments:
    """Give the codes that another type has, too, as codes of that type."""
    none, one = np.zeros((1, shape[2], 0), np.int64), np.ones((1, shape[2], 1), np.int64)
    where = Positions.uniform(*shape[:2])
    return Segments(name, source, shape, kind, none, one, 0 * one, 0, bounds, where)


def _one_product(products: Sequence[Dense], name: Callable[[str], str]) -> list[Layer]:
    """Give one product with the rows of all, and what each of them is of it."""
    first, *more = products
    if not more:
        return [first]
    weights = np.concatenate([each.weights for each in products])
    whole = replace(first, name=name("products"), weights=weights)
    begins = np.cumsum([0, *(each.rows for each in products)]).tolist()
    parts = [
        Select(each.name, whole.name, whole.out_shape, whole.out_type, tuple(range(begin, end)))
        for each, begin, end in zip(products, begins, begins[1:], strict=False)
    ]
    return [whole, *parts]
