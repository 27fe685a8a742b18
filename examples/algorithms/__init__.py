"""One small trained network for each algorithm of binarization, from its paper's equations."""
