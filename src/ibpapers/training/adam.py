"""PyTorch's Adam without its compiler."""

from __future__ import annotations

from inspect import unwrap
from typing import Any

import torch


class Adam(torch.optim.Adam):
    """`torch.optim.Adam`, bit for bit, in a process that compiles nothing.

    Its methods are wrapped so that torch.compile steps around them, and the wrappers import the
    compiler: more than a second, which is what a smoke training takes. Here they are unwrapped.
    """

    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    zero_grad = unwrap(torch.optim.Adam.zero_grad)
    state_dict = unwrap(torch.optim.Adam.state_dict)
    load_state_dict = unwrap(torch.optim.Adam.load_state_dict)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        return unwrap(torch.optim.Adam.step)(self, closure)
