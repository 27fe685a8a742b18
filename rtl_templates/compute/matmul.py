"""Product of two streams: the vectors of one pass a buffered matrix that comes as the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Module, Shape, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.dot_product import Lanes
from hwgen.rtl_templates.compute.mvtu import Levels, Mvtu, Scores
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents, write_port
from hwgen.rtl_templates.windows.matrix_buffer import ArrivalLoop, MatrixBuffer
from hwgen.rtl_templates.windows.vector_buffer import VectorBuffer

__all__ = ["MatMulUnit"]


class MatMulUnit(wiring.Component):
    """Multiplies vectors with the matrices of ``groups``, which follow one another in each of ``repeats`` pixels, and activates the products.

    A step takes ``simd`` inputs of a vector and the weights of ``pe`` rows for them: ``row_folds * column_folds`` cycles a vector. While the pixels of one
    matrix pass, the next one is taken. Vectors are replayed from a buffer if there are several row folds.

    Parameters
    ----------
    pe, simd : int
        Rows and columns computed at once.
    lanes : Lanes
    in_shape, weight_shape : Shape
        Of a number of a vector and of one of a matrix.
    row_folds, column_folds, groups, repeats : int
    by_rows : bool
        The matrix comes row by row, ``simd`` numbers a beat, with a row of each group in turn; else column by column, ``pe`` numbers a beat.
    accumulator : (int, int)
        Least and greatest sum of any row.
    output : Levels or Scores
    position_rows, position_columns : sequence of int
        Class of each row and column of the map of pixels, see `ChannelAddress`.
    style : MemoryStyle
        Of the table of ``output``.
    slots : int
        Depth of the output FIFO in beats.
    vector_beats : int
        Capacity of the vectors' buffer.
    writes_table : bool
        Whether the table of ``output`` can be written.

    Members
    -------
    i_0 : ``In(stream.Signature(simd * in_shape.width))``
        The vectors.
    i_1 : ``In(stream.Signature((simd if by_rows else pe) * weight_shape.width))``
        The matrices.
    o : ``Out(stream.Signature(pe * output.bits))``
    busy : Out(1)
        A step is taken.
    write : ``In(write_port(memories))``
        Only if the table is writable.
    """

    def __init__(
        self,
        *,
        pe: int,
        simd: int,
        lanes: Lanes,
        in_shape: Shape,
        weight_shape: Shape,
        row_folds: int,
        column_folds: int,
        groups: int,
        repeats: int,
        by_rows: bool,
        accumulator: tuple[int, int],
        output: Levels | Scores,
        position_rows: Sequence[int] = (0,),
        position_columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int,
        vector_beats: int,
        writes_table: bool = False,
    ) -> None:
        self.pe = pe
        self.simd = simd
        self.weight_shape = weight_shape
        self.by_rows = by_rows
        vector = simd * in_shape.width
        self.vectors = VectorBuffer(vector, column_folds, row_folds, vector_beats) if row_folds > 1 else None
        piece, loops = self.arrival(pe, simd, weight_shape, row_folds, column_folds, groups, by_rows=by_rows)
        self.matrix = MatrixBuffer(piece, loops, repeats)
        self.unit = Mvtu(
            pe=pe,
            simd=simd,
            lanes=lanes,
            in_shape=in_shape,
            weight_shape=weight_shape,
            words=None,
            column_folds=column_folds,
            accumulator=accumulator,
            output=output,
            position_rows=position_rows,
            position_columns=position_columns,
            style=style,
            slots=slots,
            writes_table=writes_table,
        )
        ports = {
            "i_0": In(stream.Signature(unsigned(vector))),
            "i_1": In(stream.Signature(unsigned(piece))),
            "o": Out(stream.Signature(unsigned(pe * output.bits))),
            "busy": Out(1),
        }
        super().__init__(ports | ({"write": In(write_port(self.memories))} if self.memories else {}))

    @property
    def memories(self) -> Mapping[str, Contents]:
        """What can be written."""
        return self.unit.memories

    @staticmethod
    def arrival(
        pe: int, simd: int, weight_shape: Shape, row_folds: int, column_folds: int, groups: int, *, by_rows: bool
    ) -> tuple[int, list[ArrivalLoop]]:
        """Give the bits of a beat of the matrix, and the loops in which its beats come."""
        column = ArrivalLoop("column_fold", column_folds, 1)
        row = ArrivalLoop("row_fold", row_folds, column_folds)
        group = ArrivalLoop("group", groups, row_folds * column_folds)
        if by_rows:
            return simd * weight_shape.width, [column, group, ArrivalLoop("row", pe, 0, is_place=True), row]
        return pe * weight_shape.width, [row, group, ArrivalLoop("column", simd, 0, is_place=True), column]

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        pe: int,
        simd: int,
        lanes: Lanes,
        in_shape: Shape,
        weight_shape: Shape,
        row_folds: int,
        column_folds: int,
        groups: int,
        repeats: int,
        by_rows: bool,
        accumulator: tuple[int, int],
        output: Levels | Scores,
        position_rows: Sequence[int] = (0,),
        position_columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int,
        vector_beats: int,
        writes_table: bool = False,
    ) -> Bill:
        """Give what it is made of: the buffers, and a matrix-vector unit whose weights come with the beats."""
        bill = Mvtu.bill(
            name,
            pe=pe,
            simd=simd,
            lanes=lanes,
            in_shape=in_shape,
            weight_shape=weight_shape,
            weights=None,
            steps=1,
            inputs=simd,
            column_folds=column_folds,
            accumulator=accumulator,
            output=output,
            position_rows=position_rows,
            position_columns=position_columns,
            style=style,
            slots=slots,
            writes_table=writes_table,
        )
        piece, loops = cls.arrival(pe, simd, weight_shape, row_folds, column_folds, groups, by_rows=by_rows)
        bill.include(MatrixBuffer.bill(f"{name}.matrix", piece, loops, repeats))
        if row_folds > 1:
            vectors = f"{name}.vectors"
            bill.include(VectorBuffer.bill(vectors, simd * in_shape.width, column_folds, row_folds, vector_beats))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Take a beat of a vector and a word of the matrix together."""
        m = Module()
        m.submodules.matrix = matrix = self.matrix
        m.submodules.unit = unit = self.unit
        wiring.connect(m, wiring.flipped(self.i_1), matrix.i)
        wiring.connect(m, unit.o, wiring.flipped(self.o))
        if self.memories:
            wiring.connect(m, wiring.flipped(self.write), unit.write)
        vectors: wiring.PureInterface = self.i_0
        if self.vectors is not None:
            m.submodules.vectors = self.vectors
            wiring.connect(m, wiring.flipped(self.i_0), self.vectors.i)
            vectors = self.vectors.o
        m.d.comb += [
            unit.i.payload.eq(Cat(vectors.payload, self._word(matrix.o.payload))),
            unit.i.valid.eq(vectors.valid & matrix.o.valid),
            vectors.ready.eq(unit.i.ready & matrix.o.valid),
            matrix.o.ready.eq(unit.i.ready & vectors.valid),
            self.busy.eq(unit.i.valid & unit.i.ready),
        ]
        return m

    def _word(self, pieces: Value) -> Value:
        """Put the weights of a word row by row."""
        if self.by_rows:
            return pieces
        width = self.weight_shape.width
        return Cat(pieces.word_select(s * self.pe + p, width) for p in range(self.pe) for s in range(self.simd))
