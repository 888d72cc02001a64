"""The networks of several seeds, computed together: their products are one batched product."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers.nn.feed_forward import FeedForward, rest_of_block
from ibpapers.nn.members import Packing


class Ensemble(nn.Module):
    """What `FeedForward` is, with a network of its own for each member.

    The networks' parameters become views of this module's, which have a leading axis of members:
    who steps those steps these.
    """

    def __init__(self, networks: Sequence[FeedForward]):
        super().__init__()
        self._networks = networks
        self._used: list[bool] = []
        self._weights: dict[str, Tensor] = {}
        for name, _ in networks[0].named_parameters():
            own = [network.get_parameter(name) for network in networks]
            together = torch.stack([one.detach() for one in own])
            for one, view in zip(own, together, strict=True):
                one.data = view
            self._weights[name] = together.requires_grad_()

    def forward(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        rows: Tensor | None = None,
        member: Tensor | None = None,
    ) -> Tensor:
        """As `FeedForward`; `member` [P] of each row of the result, which is [P, ..., outputs]."""
        packing = Packing(member, len(self._networks))
        self._used = (packing.counts > 0).tolist()
        samples = x.shape[1:-1]
        if condition is None:
            x = packing.pack(x).flatten(1, -2)
            read = self._linear("blocks.0.first", x)
        else:
            read = self._read(packing, x, condition, rows)
        for i, norm in enumerate(self._networks[0].norms):
            if i > 0:
                read = self._linear(f"blocks.{i}.first", x)
            x = rest_of_block(read, self._weights[f"blocks.{i}.outer.weight"])
            x = F.layer_norm(x, norm.normalized_shape, eps=norm.eps)
            scale, shift = (self._weights[f"norms.{i}.{name}"] for name in ("weight", "bias"))
            x = torch.addcmul(shift.unsqueeze(1), x, scale.unsqueeze(1))
        return packing.unpack(self._linear("out", x).unflatten(1, (-1, *samples)))

    def clip_gradient(self, norm: float) -> None:
        """Scale each member's gradient down to `norm`, as `nn.utils.clip_grad_norm_` does."""
        gradients = [w.grad.flatten(1) for w in self._weights.values() if w.grad is not None]
        if gradients:
            found = torch.stack([gradient.norm(dim=1) for gradient in gradients]).norm(dim=0)
            scale = (norm / (found + 1e-6)).clamp_max(1)
            for gradient in gradients:
                gradient.mul_(scale.unsqueeze(1))

    def hand_out(self) -> None:
        """Give each network its part of the gradient; one without a row has none."""
        for name, weight in self._weights.items():
            if weight.grad is None:
                continue
            of_each = zip(self._networks, weight.grad, self._used, strict=True)
            for network, gradient, used in of_each:
                if used:
                    network.get_parameter(name).grad = gradient
            weight.grad = None

    def _read(self, packing: Packing, x: Tensor, condition: Tensor, rows: Tensor) -> Tensor:
        """The first layer at [x[rows[p]], condition[p]], [E, N n, outputs of that layer]."""
        owner = rows.new_zeros(len(x)).index_put((rows,), packing.member)
        groups = Packing(owner, len(self._networks))
        weight, bias = (self._weights[f"blocks.0.first.{name}"] for name in ("weight", "bias"))
        of_x, of_condition = weight.split([x.shape[-1], condition.shape[-1]], dim=-1)
        shared = torch.bmm(groups.pack(x).flatten(1, 2), of_x.mT)
        shared = shared.unflatten(1, (-1, x.shape[1])).flatten(0, 1)
        given = torch.baddbmm(bias.unsqueeze(1), packing.pack(condition), of_condition.mT)
        return (shared[packing.pack(groups.slot[rows])] + given.unsqueeze(2)).flatten(1, 2)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return torch.baddbmm(bias.unsqueeze(1), x, weight.mT)


def ensembles(lists: Sequence[nn.ModuleList]) -> nn.ModuleList:
    """Lists of networks, one list a member, as a list of their ensembles."""
    return nn.ModuleList(Ensemble(networks) for networks in zip(*lists, strict=True))
