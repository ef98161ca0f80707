"""The training loss: InfoNCE over both views of a batch, and the KoLeo entropy of SSCD (Pizzi 2022)."""

import torch
from torch.nn import functional as F


def info_nce(vectors, identity, temperature):
    """Vectors [2N, D] are two views of N pictures, one after the other. Each view has to find its twin among all the other
    views; what has the same identity otherwise is left out. Returns the loss and the share found."""
    n = len(vectors)
    same = identity[:, None] == identity[None, :]
    logits = vectors @ vectors.t() / temperature
    twin = (torch.arange(n, device=vectors.device) + n // 2) % n
    keep = ~same
    keep[torch.arange(n), twin] = True
    logits = logits.masked_fill(~keep, float("-inf"))
    found = (logits.detach().argmax(1) == twin).float().mean()
    return F.cross_entropy(logits, twin), found


def koleo(vectors, identity):
    """Minus the mean logarithm of the distance to the nearest stranger: spreads the vectors over the sphere."""
    with torch.no_grad():
        near = vectors @ vectors.t()
        near.masked_fill_(identity[:, None] == identity[None, :], -2)
        index = near.argmax(1)
    distance = (vectors - vectors[index] + 1e-6).norm(dim=1)
    return -torch.log(distance + 1e-6).mean()
