"""The edits that a model is judged by: named, of fixed strength, apart from what training draws at random."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

import edit_geometry as geo
import edit_overlays as over
import edit_pixels as px
from text import block, words


def _share(img, x0, y0, x1, y1):
    w, h = img.size
    return img.crop((round(x0 * w), round(y0 * h), round(x1 * w), round(y1 * h)))


def _thumbnail(img):
    out = img.copy()
    out.thumbnail((72, 72), Image.BICUBIC)  # 128 of a large picture's pixels; ours are small to begin with
    return out


def _light(img, up):
    return ImageEnhance.Contrast(ImageEnhance.Brightness(img).enhance(1.3 if up else 0.75)).enhance(1.25 if up else 0.8)


def _bar(img, rng):
    return over.caption_bar(img, rng, (0.18, 0.18))


def _border(img, rng):
    """A frame of 12 % on each side."""
    x, y = int(img.width * 0.12), int(img.height * 0.12)
    out = Image.new("RGB", (img.width + 2 * x, img.height + 2 * y), geo.colour(rng))
    out.paste(img, (x, y))
    return out


def _noise(img, rng, sigma=25):
    make = np.random.default_rng(rng.getrandbits(32))
    pixels = np.asarray(img, np.float32)
    return Image.fromarray(np.clip(pixels + make.normal(0, sigma, pixels.shape), 0, 255).astype(np.uint8))


def _corner_mark(img, rng):
    out = img.copy()
    block(ImageDraw.Draw(out), rng, (img.width * 0.6, img.height * 0.86, img.width - 2, img.height), words(rng, 1, 2), (255, 255, 255), img.height / 12)
    return out


def _sticker(img, rng):
    out, side = img.copy(), math.sqrt(0.15 * img.width * img.height)
    x, y = rng.random() * max(1, img.width - side), rng.random() * max(1, img.height - side)
    ImageDraw.Draw(out).ellipse((x, y, x + side * 1.1, y + side * 1.1), fill=(255, 205, 30), outline=(0, 0, 0))
    ImageDraw.Draw(out).arc((x + side / 4, y + side / 3, x + side * 0.8, y + side * 0.9), 10, 170, fill=(0, 0, 0), width=3)
    return out


def _jpeg(img, quality):
    return px.jpeg(img, _Fixed, (quality, quality))


class _Fixed:
    """Stands in for a random generator where an edit has nothing left to draw."""

    @staticmethod
    def uniform(low, high):
        return low


def _combination(img, rng):
    return _jpeg(over.impact(_share(geo.rotate(img, rng, (8, 8), False), 0.08, 0.08, 0.92, 0.92), rng), 30)


# name: function of picture, rng, other (a function that gives an unrelated picture)
EASY = {
    "jpeg 75": lambda i, r, o: _jpeg(i, 75),
    "jpeg 30": lambda i, r, o: _jpeg(i, 30),
    "half size": lambda i, r, o: i.resize((max(8, i.width // 2), max(8, i.height // 2)), Image.BICUBIC),
    "thumbnail": lambda i, r, o: _thumbnail(i),
    "grey": lambda i, r, o: px.grey(i, r),
    "brightness, contrast": lambda i, r, o: _light(i, r.random() < 0.5),
    "gamma 0.6": lambda i, r, o: px.gamma(i, r, (0.6, 0.6)),
    "saturation, hue": lambda i, r, o: px.hue(i, r, (0.08, 0.08), (1.5, 1.5)),
    "blur, little": lambda i, r, o: i.filter(ImageFilter.GaussianBlur(0.6)),
    "crop 95 %": lambda i, r, o: _share(i, 0.025, 0.025, 0.975, 0.975),
    "corner watermark": lambda i, r, o: _corner_mark(i, r),
}
MEDIUM = {
    "jpeg 8": lambda i, r, o: _jpeg(i, 8),
    "crop 80 % centre": lambda i, r, o: _share(i, 0.1, 0.1, 0.9, 0.9),
    "crop 75 % corner": lambda i, r, o: geo.corner_crop(i, r, (0.75, 0.75)),
    "stretched 140 %": lambda i, r, o: geo.stretch(i, r, (1.4, 1.4)),
    "border 12 %": lambda i, r, o: _border(i, r),
    "caption bar": lambda i, r, o: _bar(i, r),
    "large text": lambda i, r, o: over.impact(i, r, (0.14, 0.14)),
    "sticker 15 %": lambda i, r, o: _sticker(i, r),
    "rotated 5°": lambda i, r, o: geo.rotate(i, r, (5, 5), False),
    "noise": lambda i, r, o: _noise(i, r),
    "blur, strong": lambda i, r, o: i.filter(ImageFilter.GaussianBlur(1.8)),
    "sepia": lambda i, r, o: px.sepia(i, r),
    "phone screenshot": lambda i, r, o: geo.phone(i, r),
    "pixelated": lambda i, r, o: px.pixelate(i, r, (36, 36)),
    "crop 90 %, jpeg 30, bar": lambda i, r, o: _bar(_jpeg(_share(i, 0.05, 0.05, 0.95, 0.95), 30), r),
}
HARD = {
    "mirror": lambda i, r, o: geo.mirror(i, r),
    "quarter turn": lambda i, r, o: i.transpose(Image.ROTATE_90),
    "rotated 25°": lambda i, r, o: geo.rotate(i, r, (25, 25), False),
    "crop 50 %": lambda i, r, o: geo.crop(i, r, (0.5, 0.5), None, (1, 1)),
    "crop 60 %, mirror, jpeg 30": lambda i, r, o: _jpeg(geo.mirror(geo.crop(i, r, (0.6, 0.6), None, (1, 1)), r), 30),
    "picture in picture 40 %": lambda i, r, o: geo.inset(i, r, o, (0.4, 0.4)),
    "perspective": lambda i, r, o: geo.perspective(i, r, (0.2, 0.2)),
    "side by side": lambda i, r, o: geo.beside(i, r, o, (0.5, 0.5)),
    "negative": lambda i, r, o: px.negative(i, r),
    "checkerboard 35 %": lambda i, r, o: over.checkerboard(i, r, (8, 8), (1, 1)),
    "photo of a screen": lambda i, r, o: over.screen_photo(i, r),
    "combination": lambda i, r, o: _combination(i, r),
}
GROUPS = {"easy": EASY, "medium": MEDIUM, "hard": HARD}
