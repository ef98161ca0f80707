"""PDQ, near enough to the reference to say what a union with it catches. The one that ships is written in Go."""

import math

import numpy as np
from PIL import Image

SIDE, KEPT = 64, 16
_BASIS = np.array([[math.sqrt(2 / SIDE) * math.cos(math.pi / 2 / SIDE * k * (2 * x + 1)) for x in range(SIDE)]
                   for k in range(1, KEPT + 1)], np.float32)
_SIGNS = np.where(np.arange(KEPT) % 2 == 0, -1.0, 1.0)  # row 0 is frequency 1


def _bits(spectrum):
    return (spectrum > np.median(spectrum)).ravel()


def pdq(img, turns=False):
    """Hashes as bool [1 or 8, 256], and the quality 0..100."""
    small = np.asarray(img.convert("L").resize((SIDE, SIDE), Image.BILINEAR), np.float32)  # PIL's is a tent, as two box filters are
    steps = sum(int(np.abs(np.trunc(np.diff(small, axis=a) * 100 / 255)).sum()) for a in (0, 1))
    s = _BASIS @ small @ _BASIS.T
    if not turns:
        return _bits(s)[None], min(100, steps // 90)
    flip_x, flip_y = s * _SIGNS[None, :], s * _SIGNS[:, None]
    both = flip_x * _SIGNS[:, None]
    every = [s, flip_x, flip_y, both]
    return np.stack([_bits(m) for m in every + [m.T for m in every]]), min(100, steps // 90)


def distances(a, b):
    """Hamming distances of bool [N, 256] and [M, 256]."""
    x, y = (np.where(h, 1.0, -1.0).astype(np.float32) for h in (a, b))
    return ((256 - x @ y.T) / 2 + 0.5).astype(np.int16)
