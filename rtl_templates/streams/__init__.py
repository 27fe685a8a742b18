"""What moves beats: FIFOs, forks, converters, the stream ports."""
