"""The schedules of the stages that take a beat a step."""

from __future__ import annotations

import numpy as np

from hwgen.fold import Fold
from hwgen.layers.protocol import MapShape
from hwgen.rtl_templates.streams.elastic import ElasticPipeline
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.timing.schedule import Schedule

__all__ = ["beat_schedule", "elastic_schedule"]


def beat_schedule(in_shape: MapShape, fold: Fold, *, width_out: int, pipeline: int, interval: int = 1) -> Schedule:
    """Give the schedule of an unbuffered stage that takes a beat of PE channels a step.

    Parameters
    ----------
    in_shape : MapShape
    fold : Fold
    width_out : int
        Bits of an output beat.
    pipeline : int
        Cycles from taking a beat to its result at the output FIFO.
    interval : int
        Input beats for each output beat.
    """
    height, width, channels = in_shape
    beats = np.arange(height * width * channels // fold.pe, dtype=np.int64)
    slots = OutputQueue.least_slots(width_out, pipeline, interval) if fold.slots is None else fold.slots
    return Schedule.through(
        steps=len(beats),
        events=beats,
        accept=beats,
        emit=beats[interval - 1 :: interval],
        latency=pipeline + OutputQueue.latency(width_out, slots),
        slots=slots,
    )


def elastic_schedule(in_shape: MapShape, fold: Fold, *, width_out: int, stages: int) -> Schedule:
    """Give the schedule of a stage that takes and yields a beat of PE channels a step, through an `ElasticPipeline`.

    Parameters
    ----------
    in_shape : MapShape
    fold : Fold
    width_out : int
        Bits of an output beat.
    stages : int
        Registers of the pipeline.
    """
    height, width, channels = in_shape
    beats = np.arange(height * width * channels // fold.pe, dtype=np.int64)
    latency, slots = ElasticPipeline.timing(stages, width_out, fold.slots)
    return Schedule.through(steps=len(beats), events=beats, accept=beats, emit=beats, latency=latency, slots=slots)
