"""What a step does with its gradient."""

from __future__ import annotations

import pytest
import torch

from workbench.modeling.device import choose_device
from workbench.modeling.optimizer import LONGEST, clip


@pytest.mark.parametrize("norm", [0.0, 0.5, 2.0, 1e6, float("inf"), float("nan")])
def test_a_gradient_is_cut_to_its_limit_and_a_shorter_one_left_alone(norm: float):
    parameters = [torch.nn.Parameter(torch.zeros(5, 3)), torch.nn.Parameter(torch.zeros(7))]
    unit = torch.randn(22)
    unit /= unit.norm()
    parameters[0].grad, parameters[1].grad = (norm * unit[:15]).reshape(5, 3), norm * unit[15:]
    silent = torch.nn.Parameter(torch.zeros(2))
    clip([*parameters, silent], choose_device("cpu"))
    found = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
    assert silent.grad is None
    if norm <= LONGEST:
        assert torch.equal(found, norm * unit)
    elif norm < float("inf"):
        assert torch.allclose(found, LONGEST * unit, atol=1e-5)
    else:
        assert not torch.isfinite(found).all()
