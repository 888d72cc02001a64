"""What each channel of a trained codec shows: a synthesis transform from it alone to the image.

The codec is frozen; one transform per channel is trained to make the RMSE small (Fig. 10).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.papers.gray_wyner.codec import Codec
from ibpapers.papers.gray_wyner.systems import Batch, System, rmse
from ibpapers.papers.gray_wyner.trainee import Learner
from ibpapers.training import checkpoint, finished, rooms


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Probe:
    """The codec is the one that the run starts from, trained with the same seed."""
    (folder,) = system.runs.values()
    run = finished.read(folder)
    codec = rooms.method(run.recipe).build(run.recipe, system, seed, device).codec
    codec.load_state_dict(checkpoint.under(f"{seed}/", run.tensors))
    return Probe(recipe, system, seed, device, codec)


class Probe(Learner):
    def __init__(
        self,
        recipe: dict[str, Any],
        system: System,
        seed: int,
        device: torch.device,
        codec: Codec,
    ):
        self.codec = codec.requires_grad_(False)
        transforms = {
            str(channel): system.synthesis(recipe["model"], width)
            for channel, width in codec.widths.items()
        }
        super().__init__(nn.ModuleDict(transforms), recipe, system, seed, device)

    def losses(self, batch: Batch, update: int | None = None) -> dict[str, Tensor]:
        """`reconstruction_<channel>`: RMSE of the image from that channel; `loss`: their sum."""
        images = self._reconstruct(batch.x).items()
        found = {f"reconstruction_{c}": rmse(image, batch.x).mean() for c, image in images}
        return {"loss": sum(found.values()), **found}

    def score(self, means: dict[str, float]) -> float:
        return means["loss"]

    @torch.no_grad()
    def examples(self) -> dict[str, Tensor]:
        """Test images [N, 3, H, W] and what the channels show of them [channels, N, 3, H, W]."""
        image = self.system.data.examples()
        shown = self._reconstruct(image).values()
        return {"image": image, "reconstruction": torch.stack(list(shown)).clamp(0, 1)}

    def _reconstruct(self, x: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            symbols = self.codec.encoder(x).symbols
        return {channel: self.model[channel](symbols[int(channel)]) for channel in self.model}
