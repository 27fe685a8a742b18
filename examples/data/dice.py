"""Small random integers from the raw words of PCG64, which NumPy promises never to change."""

import numpy as np


class Dice:
    """Small random integers that are the same for ever.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed):
        self.words = np.random.PCG64(seed)

    def below(self, limit, *shape):
        """Return integers of 0..limit-1."""
        words = self.words.random_raw(int(np.prod(shape))) >> np.uint64(33)
        return (words % np.uint64(limit)).astype(np.int64).reshape(shape)
