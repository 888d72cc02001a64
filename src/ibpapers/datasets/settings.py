"""Sections of `datasets` in params.yaml: what shapes a dataset when it is built."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ibpapers.settings import Closed, Seed


class Seeded(Closed):
    """A dataset of which nothing is to be chosen but its random numbers."""

    seed: Annotated[Seed, Field(description="of what is random in building it")]
