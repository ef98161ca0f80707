"""Edits of a whole batch at once, on the device: what a GPU can do, so that the processes only draw, decode, write text and compress.

Pictures are float [N, 3, S, S] in 0..1. Each edit is computed for all and kept where its coin fell.
"""

import math

import torch
from torch.nn import functional as F


def _uniform(n, low, high, device, shape=()):
    return torch.empty((n,) + shape, device=device).uniform_(low, high)


def _keep(x, edited, share):
    """edited for a share of the pictures, x for the others."""
    coin = torch.rand(len(x), 1, 1, 1, device=x.device) < share
    return torch.where(coin, edited, x)


def _map(n, device):
    """Homographies [n, 3, 3], from the result's coordinates to the picture's (-1..1): crop, turn, perspective, or a smaller picture."""
    made = torch.eye(3, device=device).repeat(n, 1, 1)
    how = torch.rand(n, device=device)
    crop = _uniform(n, 0.5, 0.97, device, (2,))
    scale = torch.where((how < 0.35)[:, None], crop, torch.ones_like(crop))
    scale = torch.where((how > 0.9)[:, None], 1 / _uniform(n, 0.6, 0.95, device)[:, None].expand(-1, 2), scale)  # a border round it
    shift = (_uniform(n, -1, 1, device, (2,))) * (1 - scale).abs()
    angle = torch.where((how > 0.35) & (how < 0.65), _uniform(n, -math.pi / 6, math.pi / 6, device), torch.zeros(n, device=device))
    made[:, 0, 0], made[:, 0, 1] = scale[:, 0] * angle.cos(), -scale[:, 0] * angle.sin()
    made[:, 1, 0], made[:, 1, 1] = scale[:, 1] * angle.sin(), scale[:, 1] * angle.cos()
    made[:, :2, 2] = shift
    tilt = ((how > 0.65) & (how < 0.9)).float()[:, None] * _uniform(n, -0.3, 0.3, device, (2,))
    made[:, 2, :2] = tilt
    return made


def warp(x, homographies):
    n, _, s, _ = x.shape
    line = (torch.arange(s, device=x.device) + 0.5) * 2 / s - 1
    y, u = torch.meshgrid(line, line, indexing="ij")
    points = torch.stack([u, y, torch.ones_like(u)], -1).view(1, -1, 3) @ homographies.transpose(1, 2)
    grid = (points[..., :2] / points[..., 2:].clamp(min=0.2)).view(n, s, s, 2)
    fill = torch.randint(0, 3, (n, 1, 1, 1), device=x.device) / 2.0  # black, grey or white outside
    return F.grid_sample(x - fill, grid, align_corners=False) + fill


def inset(x, strangers):
    """Each picture, smaller, on a stranger; or beside it."""
    n, _, s, _ = x.shape
    scale = 1 / _uniform(n, 0.38, 0.75, x.device)
    shift = _uniform(n, -1, 1, x.device, (2,)) * (scale - 1)[:, None]
    m = torch.zeros(n, 3, 3, device=x.device)
    m[:, 0, 0], m[:, 1, 1], m[:, 2, 2] = scale, scale, 1
    beside = torch.rand(n, device=x.device) < 0.5
    m[beside, 1, 1] = 1
    m[beside, 0, 0] = 2
    shift[beside] = torch.stack([shift[beside, 0].sign(), torch.zeros_like(shift[beside, 1])], 1)
    m[:, :2, 2] = shift
    cut = warp(torch.cat([x, torch.ones_like(x[:, :1])], 1), m)
    line = (torch.arange(s, device=x.device) + 0.5) * 2 / s - 1
    inside = (((line * m[:, :1, 0] + m[:, 0, 2:]).abs() <= 1)[:, None, None, :] & ((line * m[:, 1:2, 1] + m[:, 1, 2:]).abs() <= 1)[:, None, :, None])
    return torch.where(inside, cut[:, :3], strangers)


def colour(x):
    n, d = len(x), x.device
    grey = (x * torch.tensor([0.299, 0.587, 0.114], device=d).view(1, 3, 1, 1)).sum(1, keepdim=True).expand_as(x)
    x = _keep(x, 1 - x, 0.06)
    x = _keep(x, grey, 0.06)
    x = _keep(x, grey * torch.tensor([1.1, 0.95, 0.7], device=d).view(1, 3, 1, 1), 0.04)
    x = _keep(x, x * _uniform(n, 0.6, 1.3, d, (3, 1, 1)) + _uniform(n, -0.1, 0.12, d, (3, 1, 1)), 0.1)
    x = _keep(x, (x - 0.5) * _uniform(n, 0.5, 1.6, d, (1, 1, 1)) + _uniform(n, 0.35, 0.65, d, (1, 1, 1)), 0.12)
    return _keep(x, x.clamp(1e-3, 1) ** _uniform(n, 0.45, 2.2, d, (1, 1, 1)), 0.06).clamp(0, 1)


def degrade(x):
    n, s, d = len(x), x.shape[-1], x.device
    cells = int(_uniform(1, s / 6, s / 2, d).item())
    x = _keep(x, F.interpolate(F.adaptive_avg_pool2d(x, cells), size=(s, s), mode="nearest"), 0.04)
    x = _keep(x, F.interpolate(F.adaptive_avg_pool2d(x, cells), size=(s, s), mode="bilinear", align_corners=False), 0.12)
    x = _keep(x, x + torch.randn_like(x) * _uniform(n, 0.02, 0.18, d, (1, 1, 1)), 0.1)
    side = torch.arange(s, device=d) * _uniform(1, 4, 12, d).item() / s
    squares = ((side.long()[:, None] + side.long()[None, :]) % 2).bool() & (torch.rand(n, 1, 1, 1, device=d) < 0.99)
    x = _keep(x, torch.where(squares, _uniform(n, 0, 1, d, (3, 1, 1)).round(), x), 0.06)
    wave = torch.sin(torch.arange(s, device=d) * 2 * math.pi / _uniform(n, 2, 9, d, (1, 1, 1)))
    return _keep(x, x * (1 + 0.12 * wave), 0.05).clamp(0, 1)


@torch.no_grad()
def upload_views(x, strangers):
    """The rest of the edits of an upload's view. Strangers are pictures of another batch: one of this batch would be a false negative."""
    x = _keep(x, inset(x, strangers), 0.12)
    x = _keep(x, warp(x, _map(len(x), x.device)), 0.45)
    return degrade(colour(x))
