"""Procedural pictures: no two alike, drawn in a few milliseconds each.

They teach the network what photographs of one collection lack (screens, memes, flat graphics, statistics of edges
and scales as in dead leaves) and let it be trained with no photographs at all.
"""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from text import block, word, words

SIZES = ((160, 107), (160, 120), (160, 160), (120, 160), (107, 160), (160, 90), (90, 160))


def _palette(rng):
    """A few colours that go together: one hue, a spread, and now and then a stranger."""
    base, spread = rng.random(), rng.choice((0.05, 0.15, 0.5))
    light = rng.uniform(0.25, 0.8)
    made = []
    for _ in range(rng.randint(3, 8)):
        h = (base + rng.uniform(-spread, spread)) % 1
        v = min(1, max(0, light + rng.uniform(-0.35, 0.35)))
        s = rng.random() ** 0.7
        i, f = int(h * 6), h * 6 - int(h * 6)
        p, q, t = v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))
        r, g, b = ((v, t, p), (q, v, p), (p, v, t), (p, q, v), (t, p, v), (v, p, q))[i % 6]
        made.append((int(r * 255), int(g * 255), int(b * 255)))
    return made


def _cloud(rng, w, h, roughness):
    """Smooth noise in 0..1: a sum of octaves of random grids."""
    make = np.random.default_rng(rng.getrandbits(32))
    total, weight, cells = np.zeros((h, w), np.float32), 1.0, rng.choice((2, 3, 4))
    for _ in range(5):
        grid = Image.fromarray((make.random((cells, cells)) * 255).astype(np.uint8))
        total += weight * np.asarray(grid.resize((w, h), Image.BICUBIC), np.float32)
        weight *= roughness
        cells *= 2
    low, high = total.min(), total.max()
    return (total - low) / (high - low + 1e-6)


def texture(rng):
    w, h = rng.choice(SIZES)
    shade = _cloud(rng, w, h, rng.uniform(0.3, 0.9))
    if rng.random() < 0.4:
        shade = (np.sin(shade * rng.uniform(6, 40)) + 1) / 2
    colours = np.array(_palette(rng), np.float32)
    place = np.linspace(0, 1, len(colours))
    out = np.stack([np.interp(shade, place, colours[:, c]) for c in range(3)], -1)
    return Image.fromarray(out.astype(np.uint8))


def leaves(rng):
    """Dead leaves: opaque shapes of power-law size, each over the former ones."""
    w, h = rng.choice(SIZES)
    img = texture(rng).resize((w, h))
    draw = ImageDraw.Draw(img)
    colours = _palette(rng)
    form = rng.random()
    for _ in range(rng.randint(25, 160)):
        r = min(70, 3 / (rng.random() + 0.03) ** 0.9)
        x, y, e = rng.random() * w, rng.random() * h, rng.uniform(0.4, 1)
        fill = tuple(min(255, max(0, c + rng.randint(-25, 25))) for c in rng.choice(colours))
        if form < 0.45:
            draw.ellipse((x - r, y - r * e, x + r, y + r * e), fill=fill)
        elif form < 0.6:
            draw.rectangle((x - r, y - r * e, x + r, y + r * e), fill=fill)
        else:
            n, turn = rng.randint(3, 6), rng.random() * 6.3
            draw.polygon([(x + r * math.cos(turn + i * 6.283 / n), y + r * e * math.sin(turn + i * 6.283 / n)) for i in range(n)], fill=fill)
    return img.filter(ImageFilter.GaussianBlur(0.6)) if rng.random() < 0.5 else img


def shapes(rng):
    """Flat graphics: few large shapes and lines on a plain ground."""
    w, h = rng.choice(SIZES)
    colours = _palette(rng)
    img = Image.new("RGB", (w, h), rng.choice(colours + [(255, 255, 255)] * 3))
    draw = ImageDraw.Draw(img)
    for _ in range(rng.randint(2, 14)):
        x0, x1 = sorted((rng.random() * w, rng.random() * w))
        y0, y1 = sorted((rng.random() * h, rng.random() * h))
        fill, how = rng.choice(colours), rng.random()
        if how < 0.3:
            draw.ellipse((x0, y0, x1, y1), fill=fill)
        elif how < 0.55:
            draw.rectangle((x0, y0, x1, y1), fill=fill)
        elif how < 0.7:
            draw.line((x0, y0, x1, y1), fill=fill, width=rng.randint(1, 8))
        elif how < 0.85:
            draw.arc((x0, y0, x1, y1), rng.randint(0, 360), rng.randint(0, 360), fill=fill, width=rng.randint(1, 8))
        else:
            block(draw, rng, (x0, y0, w, h), words(rng, 1, 2), fill, rng.uniform(8, 50), align="left")
    return img


def scene(rng):
    """Sky, hills, a sun, trees or houses: a picture with a horizon."""
    w, h = rng.choice(SIZES)
    a, b = (np.array(c, np.float32) for c in rng.sample(_palette(rng), 2))
    ramp = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    img = Image.fromarray(np.broadcast_to(a + (b - a) * ramp, (h, w, 3)).astype(np.uint8))
    if rng.random() < 0.5:
        img = Image.blend(img, texture(rng).resize((w, h)), rng.uniform(0.1, 0.4))
    draw = ImageDraw.Draw(img)
    colours = _palette(rng)
    if rng.random() < 0.5:
        r, x, y = rng.uniform(4, 20), rng.random() * w, rng.random() * h * 0.5
        draw.ellipse((x - r, y - r, x + r, y + r), fill=rng.choice(colours))
    for layer in range(rng.randint(1, 4)):
        line = _cloud(rng, w, 2, 0.6)[0] * h * rng.uniform(0.1, 0.4) + h * (0.35 + 0.15 * layer)
        fill = rng.choice(colours)
        draw.polygon([(0, h)] + [(x, float(line[x])) for x in range(w)] + [(w, h)], fill=fill)
        for _ in range(rng.choice((0, 0, 4, 12))):
            x = rng.randrange(w)
            y, s = float(line[x]), rng.uniform(4, 18) * (1 + layer / 2)
            ink = rng.choice(colours)
            if rng.random() < 0.5:
                draw.polygon([(x - s / 3, y), (x, y - s), (x + s / 3, y)], fill=ink)
            else:
                draw.rectangle((x - s / 3, y - s, x + s / 3, y + 2), fill=ink)
    return img


def screen(rng):
    """A user interface: title bar, side bar, lists, cards, tables, charts, lines of text."""
    w, h = rng.choice(SIZES[:4])
    dark = rng.random() < 0.25
    paper, ink = ((30, 30, 34), (220, 220, 220)) if dark else (rng.choice(((255, 255, 255), (246, 246, 246), (238, 241, 245))), (40, 40, 40))
    accent = rng.choice(_palette(rng))
    img = Image.new("RGB", (w, h), paper)
    draw = ImageDraw.Draw(img)
    top = left = 0
    if rng.random() < 0.7:
        top = rng.randint(6, 16)
        draw.rectangle((0, 0, w, top), fill=accent if rng.random() < 0.6 else (210, 210, 215))
        block(draw, rng, (3, 1, w // 2, top), words(rng, 1, 3), paper, top * 0.7, align="left")
    if rng.random() < 0.5:
        left = rng.randint(18, 50)
        draw.rectangle((0, top, left, h), fill=rng.choice(((225, 228, 232), accent, (60, 64, 70))))
        for y in range(top + 4, h - 6, rng.randint(7, 14)):
            if rng.random() < 0.8:
                block(draw, rng, (4, y, left, y + 6), word(rng), ink, 6, align="left")
    y, step = top + rng.randint(3, 10), rng.randint(6, 11)
    while y < h - 8:
        how, tall = rng.random(), rng.randint(10, 50)
        x0, x1 = left + rng.randint(3, 16), w - rng.randint(3, 30)
        if how < 0.5:
            for _ in range(rng.randint(1, 6)):
                block(draw, rng, (x0, y, x1, y + step), words(rng, 1, 8), ink if rng.random() < 0.8 else accent, step * 0.75, align="left")
                y += step
        elif how < 0.65:
            cols = rng.randint(2, 5)
            for r in range(rng.randint(2, 5)):
                for c in range(cols):
                    x = x0 + (x1 - x0) * c / cols
                    draw.rectangle((x, y, x + (x1 - x0) / cols, y + step), outline=(190, 190, 190), fill=accent if r == 0 else None)
                    block(draw, rng, (x + 1, y, x + (x1 - x0) / cols, y + step), word(rng), ink, step * 0.7, align="left")
                y += step
        elif how < 0.8:
            n = rng.randint(2, 5)
            for c in range(n):
                x = x0 + (x1 - x0) * c / n
                draw.rectangle((x, y, x + (x1 - x0) / n - 4, y + tall), fill=rng.choice((accent, (215, 220, 226), tuple(rng.randint(0, 255) for _ in range(3)))))
                block(draw, rng, (x + 1, y + tall / 2, x + (x1 - x0) / n - 5, y + tall), word(rng), ink, 7)
            y += tall
        elif how < 0.9:
            for x in range(int(x0), int(x1), rng.randint(4, 12)):
                draw.rectangle((x, y + tall * rng.random(), x + 3, y + tall), fill=accent)
            y += tall
        else:
            draw.rectangle((x0, y, x0 + rng.randint(15, 50), y + step + 2), fill=accent)
            block(draw, rng, (x0 + 2, y, x0 + 50, y + step), word(rng), paper, step * 0.8, align="left")
            y += step
        y += rng.randint(2, 9)
    return img


def caption(img, rng, style, text=None):
    """A meme on a template: style = (place, size, seed) fixes the look, so that pictures of one group differ by their words."""
    place, size, seed = style
    face = type(rng)(seed)  # the font and colours come from the group's seed
    text = text or [words(rng, 2, 6), words(rng, 2, 6)]
    if place == "bar":
        bar = int(img.height * size * 2.4)
        out = Image.new("RGB", (img.width, img.height + bar), (255, 255, 255))
        out.paste(img, (0, bar))
        block(ImageDraw.Draw(out), face, (4, 2, img.width - 4, bar), text[0] + " " + text[1], (0, 0, 0), bar / 2.4)
        return out
    out = img.copy()
    draw = ImageDraw.Draw(out)
    px = max(8, size * img.height)
    spots = {"both": (0.02, 0.97 - 2.3 * size), "top": (0.02,), "bottom": (0.97 - 2.3 * size,), "middle": (0.3, 0.6)}[place]
    for part, y in zip(text, spots):
        block(draw, face, (2, y * img.height, img.width - 2, (y + 2.3 * size) * img.height), part.upper(), (255, 255, 255), px, (0, 0, 0))
    return out


def caption_style(rng):
    return rng.choice(("both", "both", "top", "bottom", "middle", "bar")), rng.uniform(0.09, 0.17), rng.getrandbits(32)


KINDS = {"texture": texture, "leaves": leaves, "shapes": shapes, "scene": scene}
