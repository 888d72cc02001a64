"""Which modality has more left to give: the weights r of Eq. 11."""

from __future__ import annotations

from torch import Tensor

EPSILON = 1e-6  # nats, beside each divergence: keeps the ratio finite where both vanish


def weights(divergences: Tensor) -> Tensor:
    """The weight of each modality's KL term, [M]; 1 for the first, for the others in (0, 2).

    `divergences` [M] are the mean KL(p(y_i | xi, z_i) || p(y | xi)) over the batch, nats: the task
    information of modality i that xi lacks. r_i = 1 - tanh(ln(D_i / D_1)), Eq. 11 and its
    extension in Appendix D, which is 2 / (1 + (D_i / D_1)^2). The mean is taken before the ratio,
    not of every sample's ratio, which a single sample with D_1 near 0 would decide. No gradient
    flows through.
    """
    left = divergences.detach() + EPSILON
    return 2 / (1 + (left / left[0]).square())
