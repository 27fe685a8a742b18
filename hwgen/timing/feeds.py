"""Which stage reads which stream: the law of a legal pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.timing.schedule import Schedule

__all__ = ["check_feeds", "yielded"]


def yielded(schedules: Sequence[Schedule]) -> list[range]:
    """Give the numbers of the streams that each stage yields."""
    counts = [len(schedule.outlets) for schedule in schedules]
    starts = [1 + sum(counts[:number]) for number in range(len(counts))]
    return [range(start, start + count) for start, count in zip(starts, counts, strict=True)]


def check_feeds(schedules: Sequence[Schedule], feeds: Sequence[tuple[int, ...]]) -> None:
    """Hold the law of a legal pipeline.

    Raises
    ------
    ValueError
        If a stage reads a stream that comes later, or that another reads; or if writer and reader disagree about its beats.
    """
    beats: dict[int, tuple[str, int | None]] = {0: ("The source", None)}
    for number, (schedule, streams, written) in enumerate(zip(schedules, feeds, yielded(schedules), strict=True)):
        for intake, stream in zip(schedule.intakes, streams, strict=True):
            if stream not in beats:
                raise ValueError(f"Stage {number} reads stream {stream}, which comes later or has another reader")
            writer, count = beats.pop(stream)
            if count not in (None, intake.beats):
                raise ValueError(f"{writer} yields {count} beats a frame, but stage {number} takes {intake.beats}")
        beats |= {
            stream: (f"Stage {number}", outlet.beats) for stream, outlet in zip(written, schedule.outlets, strict=True)
        }
    if list(beats) != [yielded(schedules)[-1][-1]]:
        raise ValueError(f"One stream leaves the pipeline, the last; here {sorted(beats)} do")
