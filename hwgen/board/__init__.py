"""What stands round the accelerator on a board: the top, the line to the host, the pins."""
