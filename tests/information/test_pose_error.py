"""Pose errors against poses whose error is known."""

import pytest
import torch

from ibpapers.information.pose_error import mpjpe, pa_mpjpe


def poses(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, 17, 3, generator=draw, dtype=torch.double)


def rotation(seed):
    """A random one, without mirroring."""
    turn, _ = torch.linalg.qr(poses(seed=seed)[:3])
    return turn * torch.linalg.det(turn).sign()


def test_mpjpe_of_a_shift_is_its_length():
    truth = poses(4)
    shift = torch.tensor([3.0, 0.0, -4.0], dtype=torch.double)
    assert mpjpe(truth + shift, truth).tolist() == pytest.approx([5.0] * 4)


def test_pa_mpjpe_of_a_rotated_scaled_shifted_pose_is_zero():
    truth = poses(2, 5)
    turns = torch.stack([rotation(seed) for seed in range(10)]).view(2, 5, 3, 3)
    scale = torch.linspace(0.1, 4, 10, dtype=torch.double).view(2, 5, 1, 1)
    moved = scale * truth @ turns + 7 * poses(2, 5, seed=1)[..., :1, :]
    assert mpjpe(moved, truth).min() > 1
    assert pa_mpjpe(moved, truth).shape == (2, 5)
    assert pa_mpjpe(moved, truth).max() < 1e-12


def test_a_mirrored_pose_stays_wrong():
    truth = poses(3)
    assert pa_mpjpe(truth * torch.tensor([-1.0, 1.0, 1.0]), truth).min() > 0.1


def test_no_similarity_close_by_has_a_smaller_squared_distance():
    from ibpapers.information.pose_error import _aligned

    truth, pose = poses(1), poses(1, seed=2)
    best = _aligned(pose, truth)
    least = (best - truth).square().sum()
    centre = best.mean(-2, keepdim=True)
    for seed in range(50):
        small = 0.02 * poses(seed=seed)[:3]
        turn = torch.linalg.matrix_exp(small - small.mT)
        scale, shift = 1 + 0.02 * poses(seed=seed)[4, 0], 0.02 * poses(seed=seed)[5]
        other = scale * (best - centre) @ turn + centre + shift
        assert (other - truth).square().sum() > least


def test_a_pose_at_one_place_is_as_far_as_the_joints_from_their_centre():
    truth = poses(2)
    expected = mpjpe(truth.mean(-2, keepdim=True).expand_as(truth), truth)
    collapsed = torch.ones_like(truth)
    assert torch.allclose(pa_mpjpe(collapsed, truth), expected)
