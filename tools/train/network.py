"""The copy-detection network: a small residual network whose output is one unit vector a picture."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the input's channels, after scaling to 0..1


class Residual(nn.Module):
    """Two 3×3 convolutions beside an identity, with inner channels between them."""

    def __init__(self, width, inner):
        super().__init__()
        self.conv1 = nn.Conv2d(width, inner, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        nn.init.zeros_(self.bn2.weight)  # each block starts as the identity, which lets the learning rate be high

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(x + self.bn2(self.conv2(y)))


class Down(nn.Module):
    """Halves the resolution and changes the width."""

    def __init__(self, source, width):
        super().__init__()
        self.conv = nn.Conv2d(source, width, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class CopyNet(nn.Module):
    """Normalised RGB [N, 3, S, S] to unit vectors [N, dim].

    The pooling is a generalised mean (GeM, p = 3): between the average, which forgets small things, and the maximum,
    which forgets how much of a thing there was. The exponent is a constant so that the graph needs no Pow.

    inner has the channels between the two convolutions of each residual block, all blocks in order; None: as wide as the
    stage. CopyNet(**config) makes a network of the same shape.
    """

    def __init__(self, widths=(32, 64, 192, 256), blocks=(1, 1, 1, 2), dim=256, inner=None):
        super().__init__()
        inner = list(inner or np.repeat(widths, blocks).tolist())
        self.config = {"widths": list(widths), "blocks": list(blocks), "dim": dim, "inner": inner}
        between = iter(inner)
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 5, stride=4, padding=2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU())
        stages = []
        for i, width in enumerate(widths):
            if i:
                stages.append(Down(widths[i - 1], width))
            stages += [Residual(width, next(between)) for _ in range(blocks[i])]
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(widths[-1], dim)

    def forward(self, x):
        x = self.stages(self.stem(x)).float().clamp(min=1e-4)
        pooled = (x * x * x).mean(dim=(2, 3))
        pooled = torch.exp(torch.log(pooled) / 3)
        return F.normalize(self.head(pooled), dim=1, eps=1e-6)


def macs(net, size):
    """Multiply-adds of one picture."""
    total = 0

    def count(module, _, out):
        nonlocal total
        per = module.weight.numel() / (module.weight.shape[0])
        total += int(per * out[0].numel())

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    training = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, size, size, device=next(net.parameters()).device))
    net.train(training)
    for hook in hooks:
        hook.remove()
    return total
