"""Several seeds of a run in one file."""

import numpy as np

from ibpapers.training.train import _together


def history(updates, best):
    return {
        "loss": np.arange(updates, dtype=np.float32),
        "validation": np.ones(updates, np.float32),
        "best_update": np.array(best),
        "snapshot_update": np.arange(2, updates + 1, 2),
        "snapshot/weight": np.zeros((updates // 2, 3), np.float32),
        "examples/image": np.full((2, 4), best, np.uint8),
    }


def test_seeds_that_stopped_early_are_filled_up():
    found = _together([history(4, 3), history(6, 2)])
    assert found["update"].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.array_equal(found["loss"][0], [0, 1, 2, 3, np.nan, np.nan], equal_nan=True)
    assert found["loss"].dtype == np.float32 and found["loss"].shape == (2, 6)
    assert found["best_update"].tolist() == [3, 2]
    assert found["snapshot_update"].tolist() == [2, 4, 6]
    assert found["snapshot/weight"].shape == (2, 3, 3)
    assert np.isnan(found["snapshot/weight"][0, 2]).all()
    assert found["examples/image"].shape == (2, 2, 4)
    assert found["examples/image"].dtype == np.uint8
