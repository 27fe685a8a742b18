"""The board's side of the link to the host, and of the flash."""
