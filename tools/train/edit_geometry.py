"""Edits that move things: crops, turns, perspective, borders and other pictures beside or around.

`other` is a function that returns an unrelated picture.
"""

import math

import numpy as np
from PIL import Image, ImageDraw

from text import block, words


def colour(rng):
    how = rng.random()
    if how < 0.35:
        return (0, 0, 0)
    if how < 0.65:
        return (255, 255, 255)
    return tuple(rng.randint(0, 255) for _ in range(3))


def crop(img, rng, keep=(0.55, 0.95), where=None, aspect=(0.8, 1.25)):
    """Keeps a share of each side; where = (x, y) in 0..1 places it, else anywhere."""
    share, skew = rng.uniform(*keep), math.sqrt(rng.uniform(*aspect))
    w, h = img.width * min(1, share * skew), img.height * min(1, share / skew)
    x, y = where or (rng.random(), rng.random())
    left, top = x * (img.width - w), y * (img.height - h)
    return img.crop((round(left), round(top), max(round(left + w), round(left) + 8), max(round(top + h), round(top) + 8)))


def centre_crop(img, rng, keep=(0.45, 0.95)):
    return crop(img, rng, keep, (0.5, 0.5), (1, 1))


def corner_crop(img, rng, keep=(0.55, 0.95)):
    return crop(img, rng, keep, (rng.randint(0, 1), rng.randint(0, 1)), (1, 1))


def stretch(img, rng, factor=(1.15, 1.7)):
    f = rng.uniform(*factor)
    size = (int(img.width * f), img.height) if rng.random() < 0.5 else (img.width, int(img.height * f))
    return img.resize(size, Image.BILINEAR)


def rotate(img, rng, degrees=(2, 30), inside=None):
    """Turns by either sign; shows the corners filled, or cuts to the inside."""
    angle = rng.uniform(*degrees) * rng.choice((-1, 1))
    if inside is None:
        inside = rng.random() < 0.25
    if inside:
        turned = img.rotate(angle, Image.BILINEAR)
        a = math.radians(abs(angle))
        keep = 1 / (math.cos(a) + math.sin(a) * max(img.width / img.height, img.height / img.width))
        w, h = img.width * keep, img.height * keep
        left, top = (img.width - w) / 2, (img.height - h) / 2
        return turned.crop((round(left), round(top), round(left + w), round(top + h)))
    return img.rotate(angle, Image.BILINEAR, expand=rng.random() < 0.6, fillcolor=colour(rng))


def mirror(img, rng):
    return img.transpose(Image.FLIP_LEFT_RIGHT)


def quarter(img, rng):
    return img.transpose(rng.choice((Image.ROTATE_90, Image.ROTATE_180, Image.ROTATE_270)))


def _coefficients(targets, sources):
    """The eight numbers of the projective map that PIL wants: from where in the source each target comes."""
    rows, values = [], []
    for (x, y), (u, v) in zip(targets, sources):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.linalg.solve(np.array(rows, float), np.array(values, float))


def perspective(img, rng, depth=(0.06, 0.28), fill=None):
    w, h = img.size
    d = rng.uniform(*depth)
    corners = [(0, 0), (w, 0), (w, h), (0, h)]
    moved = []
    for x, y in corners:
        dx, dy = rng.random() * d * w, rng.random() * d * h
        moved.append((dx if x == 0 else w - dx, dy if y == 0 else h - dy))
    if rng.random() < 0.3:  # from the inside: the picture is larger than the frame
        moved, corners = corners, moved
    return img.transform((w, h), Image.PERSPECTIVE, _coefficients(moved, corners), Image.BILINEAR, fillcolor=fill or colour(rng))


def border(img, rng, share=(0.03, 0.2)):
    """A frame, or a letterbox."""
    s = rng.uniform(*share)
    x, y = int(img.width * s), int(img.height * s)
    how = rng.random()
    if how < 0.2:
        x = 0
    elif how < 0.4:
        y = 0
    out = Image.new("RGB", (img.width + 2 * x, img.height + 2 * y), colour(rng))
    out.paste(img, (x, y))
    return out


def inset(img, rng, other, scale=(0.35, 0.75)):
    """Picture in picture: the picture, small, on an unrelated one."""
    base = other()
    base = base.resize((max(img.width, 96), max(img.height, 96))) if rng.random() < 0.5 else base
    s = rng.uniform(*scale)
    w, h = max(16, int(base.width * s)), max(16, int(base.height * s))
    small = img.resize((w, h), Image.BICUBIC)
    base = base.copy()
    base.paste(small, (rng.randint(0, base.width - w), rng.randint(0, base.height - h)))
    return base


def beside(img, rng, other, share=(0.4, 0.65)):
    """Side by side, or one above the other, with an unrelated picture."""
    s = rng.uniform(*share)
    mate = other()
    if rng.random() < 0.7:
        mate = mate.resize((max(8, int(img.width * (1 - s) / s)), img.height))
        out = Image.new("RGB", (img.width + mate.width, img.height))
        first, second = (img, mate) if rng.random() < 0.5 else (mate, img)
        out.paste(first, (0, 0))
        out.paste(second, (first.width, 0))
    else:
        mate = mate.resize((img.width, max(8, int(img.height * (1 - s) / s))))
        out = Image.new("RGB", (img.width, img.height + mate.height))
        first, second = (img, mate) if rng.random() < 0.5 else (mate, img)
        out.paste(first, (0, 0))
        out.paste(second, (0, first.height))
    return out


def phone(img, rng):
    """A screenshot of a phone that shows the picture: bars, some text, empty space."""
    w = img.width
    total = int(max(img.height * rng.uniform(1.15, 1.6), w * rng.uniform(1.2, 2.1)))
    dark = rng.random() < 0.6
    out = Image.new("RGB", (w, total), rng.choice(((0, 0, 0), (18, 18, 18), (30, 34, 40))) if dark else (255, 255, 255))
    top = int((total - img.height) * rng.uniform(0.25, 0.75))
    out.paste(img, (0, top))
    draw = ImageDraw.Draw(out)
    ink = (235, 235, 235) if dark else (20, 20, 20)
    if rng.random() < 0.85:
        block(draw, rng, (4, 2, w - 4, w // 12), "%d:%02d" % (rng.randint(0, 23), rng.randint(0, 59)), ink, w / 20, align="left")
        for i in range(3):
            draw.rectangle((w - 8 - i * w // 16, 4, w - 4 - i * w // 16, 4 + w // 40), fill=ink)
    if rng.random() < 0.6 and top > w // 5:
        block(draw, rng, (w // 10, w // 9, w - 8, w // 5), words(rng, 1, 4), ink, w / 16, align="left")
    under = top + img.height + 3
    if rng.random() < 0.7 and total - under > w // 8:
        block(draw, rng, (6, under, w - 6, total - w // 10), words(rng, 2, 10), ink, w / 18, align="left")
    for i in range(rng.choice((0, 3, 4, 5))):
        x = w * (i + 0.5) / 5
        draw.ellipse((x - w / 36, total - w / 12, x + w / 36, total - w / 36), outline=ink, fill=None if i % 2 else ink)
    return out
