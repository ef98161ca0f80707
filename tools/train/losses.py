"""The training loss: InfoNCE over both views, with a memory of past batches, and the KoLeo entropy of SSCD."""

import torch
from torch.nn import functional as F


class Memory:
    """The last vectors of earlier batches, as further negatives (cross-batch memory)."""

    def __init__(self, size, dim, device):
        self.vectors = torch.zeros(size, dim, device=device)
        self.identity = torch.full((size,), -1, dtype=torch.int64, device=device)
        self.at = self.filled = 0

    def push(self, vectors, identity):
        size = len(self.identity)
        where = (self.at + torch.arange(len(identity), device=identity.device)) % size
        self.vectors[where] = vectors.detach()
        self.identity[where] = identity
        self.at = (self.at + len(identity)) % size
        self.filled = min(size, self.filled + len(identity))

    def get(self):
        return self.vectors[:self.filled], self.identity[:self.filled]


def info_nce(vectors, identity, temperature, memory=None):
    """Vectors [2N, D] are two views of N pictures, one after the other. Each view has to find its twin among all the other
    views and the memory; what has the same identity otherwise is left out. Returns the loss and the share found."""
    n = len(vectors)
    same = identity[:, None] == identity[None, :]
    logits = vectors @ vectors.t() / temperature
    twin = (torch.arange(n, device=vectors.device) + n // 2) % n
    keep = ~same
    keep[torch.arange(n), twin] = True
    logits = logits.masked_fill(~keep, float("-inf"))
    if memory is not None and memory.filled:
        past, known = memory.get()
        far = (vectors @ past.t() / temperature).masked_fill(identity[:, None] == known[None, :], float("-inf"))
        logits = torch.cat([logits, far], 1)
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
