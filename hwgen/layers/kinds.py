"""Every kind of layer that there is: what a build folder can hold."""

from __future__ import annotations

from hwgen.layers.argmax import ArgMax
from hwgen.layers.channel_max import ChannelMax
from hwgen.layers.combine import Combine
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.crop import Crop
from hwgen.layers.dense import Dense
from hwgen.layers.embedding import Embedding
from hwgen.layers.global_reduce import GlobalReduce
from hwgen.layers.interleave import Interleave
from hwgen.layers.matmul import MatMul
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.pad import Pad
from hwgen.layers.recurrent import Recurrent
from hwgen.layers.reorder import Reorder
from hwgen.layers.reshape import Reshape
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.topk import TopK
from hwgen.layers.upsample import Upsample

__all__ = ["KINDS"]

KINDS = (
    ArgMax,
    ChannelMax,
    Combine,
    Concat,
    Conv,
    Crop,
    Dense,
    Embedding,
    GlobalReduce,
    Interleave,
    MatMul,
    MaxPool,
    Pad,
    Recurrent,
    Reorder,
    Reshape,
    Segments,
    Select,
    Table,
    Thresholding,
    TopK,
    Upsample,
)
