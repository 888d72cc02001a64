"""Errors of 3-D poses: MPJPE, and PA-MPJPE after the best similarity transform (Procrustes)."""

from __future__ import annotations

import torch
from torch import Tensor


def mpjpe(pose: Tensor, truth: Tensor) -> Tensor:
    """Mean distance of joints [..., J, 3] -> [...], in the unit of the poses."""
    return (pose - truth).norm(dim=-1).mean(-1)


def pa_mpjpe(pose: Tensor, truth: Tensor) -> Tensor:
    """`mpjpe` once each pose is rotated, scaled and shifted as close to its truth as can be.

    [..., J, 3] -> [...]. A pose is not mirrored; one whose joints are all at one place is scaled
    to nothing.
    """
    return mpjpe(_aligned(pose, truth), truth)


def _aligned(pose: Tensor, truth: Tensor) -> Tensor:
    """The similarity of least squared distance, from singular values (Umeyama)."""
    centre = truth.mean(-2, keepdim=True)
    own, their = pose - pose.mean(-2, keepdim=True), truth - centre
    u, stretch, v = torch.linalg.svd(own.mT @ their)
    signs = torch.ones_like(stretch)
    signs[..., -1] = torch.linalg.det(u @ v).sign()
    rotation = (u * signs.unsqueeze(-2)) @ v
    size = own.square().sum((-1, -2)).clamp_min(torch.finfo(pose.dtype).tiny)
    scale = (stretch * signs).sum(-1) / size
    return scale[..., None, None] * own @ rotation + centre
