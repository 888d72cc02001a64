"""What the generated stand-ins for CMU-MOSI and CMU-MOSEI have in common: how sentiment is told."""

import numpy as np
from numpy.typing import NDArray

DEVIATION = 1.5  # of the sentiment, before it is cut to [-3, 3] and rounded to fifths


def sentiment(score: NDArray) -> NDArray:
    """Labels as people give them, for a `score` of deviation 1."""
    return np.round(np.clip(DEVIATION * score, -3, 3) * 5) / 5
