"""The computer's side of a board: link, registers, loading, programming."""
