"""Hardware layers: one kind a file, with its golden model, timing, cost and component."""
