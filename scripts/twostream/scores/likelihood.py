"""How likely scores say that videos are of their true classes."""

import numpy as np

# A score of zero would make one video's log-likelihood infinite: it counts as single precision's step at 1.
FLOOR = 2.0**-23


def losses(own: np.ndarray) -> np.ndarray:
    """Return minus the logarithm of the scores of true classes, of any shape, in nats, each from 0 to 15.9.

    A score below FLOOR, as an SVM's of a class that it never saw, counts as FLOOR.
    """
    loss: np.ndarray = -np.log(np.maximum(own.astype(float), FLOOR))
    return loss
