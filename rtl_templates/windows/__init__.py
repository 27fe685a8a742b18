"""Windows over a map, and buffers that replay."""
