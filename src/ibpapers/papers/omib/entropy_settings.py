"""The section `papers.omib.entropy`: how the entropies behind the bound on beta are estimated."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ibpapers.settings import Closed, Count, Listing, Positive, Seed

Share = Annotated[float, Field(gt=0, lt=1)]


class Mine(Closed):
    """The paper names MINE and none of its settings; an estimate depends on all of them."""

    batch_size: Annotated[
        int, Field(ge=2, le=10**5, description="samples; all held-out ones where those are fewer")
    ]
    widths: Annotated[
        list[Count], Field(min_length=1, max_length=8, description="hidden layers of the critic")
    ]
    steps: Count
    learning_rate: Annotated[Positive, Field(description="at first; falls linearly to zero")]
    ema_rate: Annotated[Share, Field(description="of the moving average of E exp T")]
    held_out: Annotated[Share, Field(description="samples that the critic is read off on")]
    window: Annotated[Count, Field(description="last steps that the estimate is taken from")]

    @model_validator(mode="after")
    def _window_fits(self) -> Mine:
        if self.window > self.steps:
            raise ValueError(f"window must be at most steps ({self.steps})")
        return self


class NearestNeighbours(Closed):
    """The cross-check; it means little in this many dimensions, which the report says."""

    neighbours: Annotated[int, Field(ge=1, le=100, description="k")]
    samples: Annotated[int, Field(ge=101, le=10**4, description="at most; cost grows as squares")]


class Entropy(Closed):
    seeds: Annotated[Listing[Seed], Field(description="independent trainings of the critic")]
    mine: Mine
    knn: NearestNeighbours
