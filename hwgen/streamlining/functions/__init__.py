"""Functions of one integer: what stands between an accumulator and the next code."""
