"""Edits that leave every thing in its place: colour, compression, blur, noise.

Each takes an RGB picture and a random.Random, and ranges for its parameters, and returns a new picture.
"""

import io

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps


def jpeg(img, rng, quality=(5, 90)):
    data = io.BytesIO()
    img.save(data, "JPEG", quality=int(rng.uniform(*quality)))
    return Image.open(data).convert("RGB")


def rescale(img, rng, scale=(0.2, 0.8)):
    s = rng.uniform(*scale)
    small = img.resize((max(8, int(img.width * s)), max(8, int(img.height * s))), rng.choice((2, 3, 4, 1)))
    return small.resize(img.size, Image.BICUBIC)


def pixelate(img, rng, cells=(18, 60)):
    n = rng.uniform(*cells)  # cells along the longer side
    s = n / max(img.size)
    small = img.resize((max(4, round(img.width * s)), max(4, round(img.height * s))), Image.BOX)
    return small.resize(img.size, Image.NEAREST)


def grey(img, rng):
    return img.convert("L").convert("RGB")


def sepia(img, rng):
    depth = rng.uniform(0.7, 1.0)
    toned = ImageOps.colorize(img.convert("L"), (0, 0, 0), (255, int(255 * (1 - 0.12 * depth)), int(255 * (1 - 0.35 * depth))),
                              mid=(int(127 + 30 * depth), int(127 - 5 * depth), int(127 - 45 * depth)))
    return toned if rng.random() < 0.7 else Image.blend(img, toned, depth)


def negative(img, rng):
    return ImageChops.invert(img)


def light(img, rng, brightness=(0.55, 1.5), contrast=(0.5, 1.6)):
    img = ImageEnhance.Brightness(img).enhance(rng.uniform(*brightness))
    return ImageEnhance.Contrast(img).enhance(rng.uniform(*contrast))


def gamma(img, rng, power=(0.45, 2.2)):
    g = rng.uniform(*power)
    return img.point([int(255 * (i / 255) ** g + 0.5) for i in range(256)] * 3)


def hue(img, rng, turn=(-0.5, 0.5), saturation=(0.2, 2.0)):
    h, s, v = img.convert("HSV").split()
    shift = int(rng.uniform(*turn) * 255)
    factor = rng.uniform(*saturation)
    h = h.point([(i + shift) % 256 for i in range(256)])
    s = s.point([min(255, int(i * factor)) for i in range(256)])
    return Image.merge("HSV", (h, s, v)).convert("RGB")


def tint(img, rng):
    gains = [rng.uniform(0.6, 1.3) for _ in range(3)]
    lifts = [rng.uniform(-25, 35) for _ in range(3)]
    table = []
    for gain, lift in zip(gains, lifts):
        table += [min(255, max(0, int(i * gain + lift))) for i in range(256)]
    return img.point(table)


def posterize(img, rng):
    if rng.random() < 0.5:
        return ImageOps.posterize(img, rng.randint(2, 5))
    return img.quantize(rng.choice((8, 16, 32, 64))).convert("RGB")


def autocontrast(img, rng):
    return ImageOps.equalize(img) if rng.random() < 0.5 else ImageOps.autocontrast(img, cutoff=rng.uniform(0, 6))


def blur(img, rng, radius=(0.003, 0.018)):
    """Radius as a share of the longer side."""
    return img.filter(ImageFilter.GaussianBlur(rng.uniform(*radius) * max(img.size)))


def sharpen(img, rng):
    return img.filter(ImageFilter.UnsharpMask(rng.uniform(0.5, 3), int(rng.uniform(80, 300)), 2))


def noise(img, rng, sigma=(5, 45)):
    pixels = np.asarray(img).astype(np.float32)
    make = np.random.default_rng(rng.getrandbits(32))
    how = rng.random()
    shape = pixels.shape if how < 0.6 else pixels.shape[:2] + (1,)
    if how < 0.85:
        pixels = pixels + make.standard_normal(shape, dtype=np.float32) * rng.uniform(*sigma)
    else:
        hit = make.random(pixels.shape[:2]) < rng.uniform(0.01, 0.1)
        pixels[hit] = make.integers(0, 2, (int(hit.sum()), 1)) * 255
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
