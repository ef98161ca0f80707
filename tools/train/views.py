"""The views of a flagged picture, and the trimmed view of an upload, as the moderator takes them."""

import numpy as np
from PIL import Image

TOLERANCE, OUTLIERS = 22, 0.03
MIN_TRIMMED, MIN_KEPT, MIN_SIDE = 0.03, 0.15, 16


def _uniform(lines):
    """How many lines [n, length, 3], from the first, have the first's colour; and one more, in which scaling mixed."""
    colour = np.median(lines[0], axis=0).astype(np.int16)
    off = (np.abs(lines.astype(np.int16) - colour) > TOLERANCE).any(2).mean(1) > OUTLIERS
    n = int(off.argmax()) if off.any() else len(lines)
    return n + 1 if 0 < n < len(lines) else n


def trimmed(img):
    """What uniform borders leave of a picture, or None when there are none or too little would be left."""
    pixels = np.asarray(img)
    whole = pixels.shape[0] * pixels.shape[1]
    for _ in range(2):
        for turn in (False, True):
            lines = pixels.transpose(1, 0, 2) if turn else pixels
            first = _uniform(lines)
            if first == len(lines):
                return None
            last = _uniform(lines[::-1])
            lines = lines[first:len(lines) - last]
            pixels = lines.transpose(1, 0, 2) if turn else lines
            if min(pixels.shape[:2]) < MIN_SIDE:
                return None
    kept = pixels.shape[0] * pixels.shape[1]
    return Image.fromarray(np.ascontiguousarray(pixels)) if MIN_KEPT * whole <= kept <= (1 - MIN_TRIMMED) * whole else None


def flagged(img):
    """[(name, picture)]: itself, the turns, the trimmed, the crops."""
    w, h = img.size
    found = [("original", img), ("flip-horizontal", img.transpose(Image.FLIP_LEFT_RIGHT)), ("rotate-90", img.transpose(Image.ROTATE_270)),
             ("rotate-180", img.transpose(Image.ROTATE_180)), ("rotate-270", img.transpose(Image.ROTATE_90))]
    inner = trimmed(img)
    if inner is not None:
        found.append(("trimmed", inner))
    found.append(("center-70", img.crop((round(w * 0.15), round(h * 0.15), round(w * 0.85), round(h * 0.85)))))
    for name, x, y in (("tl", 0, 0), ("tr", 1, 0), ("bl", 0, 1), ("br", 1, 1)):
        found.append(("quarter-" + name, img.crop((x * w // 2, y * h // 2, w // 2 + x * (w - w // 2), h // 2 + y * (h - h // 2)))))
    return found
