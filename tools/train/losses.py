"""The training loss: InfoNCE over both views of a batch, and the KoLeo entropy of SSCD (Pizzi 2022)."""

import math

import torch
from torch.nn import functional as F


def info_nce(vectors, identity, temperature):
    """Vectors [2N, D] are two views of N pictures, one after the other. Each view has to find its twin among all the other
    views; what has the same identity otherwise is left out.

    Returns three scalars. The loss proper. The same with the negatives of the whole batch pooled, so that every twin has to
    beat the worst pair of strangers anywhere: one threshold has to serve all pictures. And the share of twins found.
    """
    n = len(vectors)
    row = torch.arange(n, device=vectors.device)
    twin = (row + n // 2) % n
    logits = vectors @ vectors.t() / temperature
    own = logits[row, twin]
    strangers = logits.masked_fill(identity[:, None] == identity[None, :], float("-inf"))
    each = torch.logsumexp(strangers, 1)
    pooled = torch.logsumexp(each, 0) - math.log(n)
    found = (own.detach() > strangers.detach().amax(1)).float().mean()
    return F.softplus(each - own).mean(), F.softplus(pooled - own).mean(), found


def koleo(vectors, identity):
    """Minus the mean logarithm of the distance to the nearest stranger: spreads the vectors over the sphere."""
    with torch.no_grad():
        near = vectors @ vectors.t()
        near.masked_fill_(identity[:, None] == identity[None, :], -2)
        index = near.argmax(1)
    distance = (vectors - vectors[index] + 1e-6).norm(dim=1)
    return -torch.log(distance + 1e-6).mean()
