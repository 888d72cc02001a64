"""The vocabulary that all settings are written in."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Closed(BaseModel):
    """Settings that admit their own keys only, take values of the right type only, never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _distinct(values: list) -> list:
    if len(set(values)) != len(values):
        raise ValueError("every value may be listed once")
    return values


Distinct = Annotated[list[Item], Field(max_length=1000), AfterValidator(_distinct)]
Listing = Annotated[
    list[Item], Field(min_length=1, max_length=1000), AfterValidator(_distinct)
]  # a grid: never empty, nothing twice
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
