"""Edits that cover part of the picture: captions, stickers, watermarks, checkerboards, and a photo of a screen."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edit_geometry import colour, perspective
from text import block, font, word, words


def caption_bar(img, rng, share=(0.1, 0.32)):
    """A bar with text above or below, which makes the picture taller."""
    bar = max(10, int(img.height * rng.uniform(*share)))
    paper, ink = rng.choice((((255, 255, 255), (0, 0, 0)), ((0, 0, 0), (255, 255, 255)), (colour(rng), (255, 255, 255))))
    out = Image.new("RGB", (img.width, img.height + bar), paper)
    above = rng.random() < 0.5
    out.paste(img, (0, bar if above else 0))
    top = 1 if above else img.height + 1
    lines = rng.choice((1, 1, 2, 2, 3))
    block(ImageDraw.Draw(out), rng, (4, top, img.width - 4, top + bar - 2), words(rng, 2, 5 * lines), ink, bar / (lines + 0.4))
    return out


def impact(img, rng, size=(0.08, 0.2)):
    """Large outlined text at the top, the bottom, or anywhere."""
    out = img.copy()
    draw = ImageDraw.Draw(out)
    fill, edge = ((255, 255, 255), (0, 0, 0)) if rng.random() < 0.7 else (colour(rng), colour(rng))
    for _ in range(rng.choice((1, 2, 2))):
        px = max(7, rng.uniform(*size) * img.height)
        top = rng.choice((0.01, rng.uniform(0, 0.8), 0.98 - px * 1.3 / img.height)) * img.height
        text = words(rng, 1, 5)
        block(draw, rng, (2, top, img.width - 2, min(img.height, top + 2.4 * px)), text.upper() if rng.random() < 0.7 else text, fill, px,
              edge if rng.random() < 0.8 else None)
    return out


def watermark(img, rng, tiled=None):
    """Half-transparent text: in a corner, across, or repeated."""
    layer = Image.new("L", img.size, 0)
    draw = ImageDraw.Draw(layer)
    px = max(6, rng.uniform(0.05, 0.14) * img.width)
    face, text = font(rng, px), word(rng) + " " + word(rng)
    if tiled is None:
        tiled = rng.random() < 0.3
    if tiled:
        for y in range(0, img.height, max(12, int(px * 3))):
            for x in range(0, img.width, max(24, int(px * 6))):
                draw.text((x, y), text, font=face, fill=255)
        layer = layer.rotate(rng.uniform(-40, 40))
    else:
        x, y = rng.choice((0.02, 0.5)) * img.width, rng.choice((0.02, 0.88)) * img.height
        draw.text((x, y), text, font=face, fill=255)
    strength = rng.uniform(0.3, 0.9)
    layer = layer.point([int(i * strength) for i in range(256)])
    out = img.copy()
    out.paste(Image.new("RGB", img.size, colour(rng)), (0, 0), layer)
    return out


def sticker(img, rng, area=(0.03, 0.25), other=None):
    """An opaque shape, face, label or small picture over a share of the area."""
    out = img.copy()
    side = math.sqrt(rng.uniform(*area) * img.width * img.height)
    skew = math.sqrt(rng.uniform(0.6, 1.6))
    w, h = min(side * skew, img.width * 0.9), min(side / skew, img.height * 0.9)
    x, y = rng.random() * (img.width - w), rng.random() * (img.height - h)
    box = (x, y, x + w, y + h)
    draw = ImageDraw.Draw(out)
    how = rng.random()
    if how < 0.3:
        draw.ellipse(box, fill=(255, rng.randint(180, 230), 30) if rng.random() < 0.6 else colour(rng), outline=(0, 0, 0))
        for ex in (0.3, 0.7):
            draw.ellipse((x + w * ex - w / 12, y + h * 0.3, x + w * ex + w / 12, y + h * 0.5), fill=(30, 30, 30))
        draw.arc((x + w * 0.25, y + h * 0.35, x + w * 0.75, y + h * 0.85), 10, 170, fill=(30, 30, 30), width=max(1, int(w / 16)))
    elif how < 0.5:
        draw.rectangle(box, fill=colour(rng))
        block(draw, rng, box, words(rng, 1, 4), colour(rng), h / 3)
    elif how < 0.65:
        points = [(x + w / 2 + w / 2 * (1 if i % 2 else 0.5) * math.cos(i * math.pi / 5),
                   y + h / 2 + h / 2 * (1 if i % 2 else 0.5) * math.sin(i * math.pi / 5)) for i in range(10)]
        draw.polygon(points, fill=colour(rng))
    elif how < 0.8 or other is None:
        draw.rectangle(box, fill=colour(rng))
    else:
        out.paste(other().resize((max(4, int(w)), max(4, int(h)))), (int(x), int(y)))
    return out


def checkerboard(img, rng, cells=(4, 12), opacity=(0.6, 1.0)):
    """Squares of one colour over a part of the picture, like a mosaic that hides it."""
    n = rng.randint(*cells)
    cell = max(img.size) / n
    cols, rows = math.ceil(img.width / cell), math.ceil(img.height / cell)
    mask = Image.new("L", img.size, 0)
    draw = ImageDraw.Draw(mask)
    solid = int(255 * rng.uniform(*opacity))
    share = rng.uniform(0.5, 0.8) if rng.random() < 0.7 else None  # of the black squares; None: random squares instead
    for r in range(rows):
        for c in range(cols):
            if (share is not None and (r + c) % 2 and rng.random() < share * 1.3) or (share is None and rng.random() < 0.35):
                draw.rectangle((c * cell, r * cell, (c + 1) * cell - 1, (r + 1) * cell - 1), fill=solid)
    out = img.copy()
    out.paste(Image.new("RGB", img.size, colour(rng)), (0, 0), mask)
    return out


def screen_photo(img, rng):
    """A photograph of a screen: bezel, perspective, moiré, glare, a colour cast and a little blur."""
    edge = int(max(img.size) * rng.uniform(0.0, 0.08))
    dark = tuple(rng.randint(0, 60) for _ in range(3))
    out = Image.new("RGB", (img.width + 2 * edge, img.height + 2 * edge), dark)
    out.paste(img, (edge, edge))
    out = perspective(out, rng, (0.02, 0.16), tuple(rng.randint(10, 160) for _ in range(3)))
    pixels = np.asarray(out).astype(np.float32)
    y, x = np.mgrid[:out.height, :out.width].astype(np.float32)
    angle, pitch = rng.uniform(0, math.pi), rng.uniform(2.0, 9.0)
    wave = np.sin((x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / pitch))
    pixels *= (1 + rng.uniform(0.03, 0.16) * wave)[..., None]
    gx, gy = rng.random() * out.width, rng.random() * out.height
    glare = np.exp(-((x - gx) ** 2 + (y - gy) ** 2) / (2 * (rng.uniform(0.15, 0.4) * out.width) ** 2))
    pixels += (rng.uniform(0, 90) * glare)[..., None]
    pixels *= np.array([rng.uniform(0.75, 1.12) for _ in range(3)], np.float32)
    pixels = pixels * rng.uniform(0.7, 1.05) + rng.uniform(0, 30)
    out = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return out.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.008) * max(out.size)))
