"""The section `conventional` of TOC's settings: separate source and channel coding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ibpapers.settings import Closed


class Conventional(Closed):
    """H.264, 5G LDPC and QAM; the paper names H.264 and nothing else."""

    qp: Annotated[int, Field(ge=0, le=51, description="quantiser of H.264; 0: lossless")]
    information_bits: Annotated[
        int, Field(ge=16, le=8448, multiple_of=8, description="of an LDPC block")
    ]
    rate: Annotated[float, Field(ge=0.2, le=0.94, description="of the LDPC code")]
    bits_per_symbol: Annotated[Literal[2, 4, 6, 8], Field(description="QPSK to 256-QAM")]
    iterations: Annotated[int, Field(ge=1, le=1000, description="of the LDPC decoder, at most")]
    draws: Annotated[
        int, Field(ge=1, le=1000, description="of the channel; decoding takes its time")
    ]
    utterances: Annotated[
        int | None, Field(ge=1, description="of the test set, from the first; null: all")
    ]

    @model_validator(mode="after")
    def _rate_is_one_of_5g(self) -> Conventional:
        if self.information_bits > 3840 and self.rate < 1 / 3:
            raise ValueError("rates below 1/3 have blocks of at most 3840 information_bits")
        return self
