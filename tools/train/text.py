"""Fonts and words for captions, stickers, screenshots and memes."""

import functools
import glob

from PIL import ImageFont

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "C:/Windows/Fonts")
_SYLLABLES = ("ba be bo ca ce co da de di do fa fe ga go ha he hi ho ja ka ki la le li lo ma me mi mo na ne no pa pe po ra re ri "
              "ro sa se si so ta te ti to va ve vi wa we wo ya yo za an en in on er or ar st nd th").split()


@functools.lru_cache(maxsize=1)
def _font_files():
    found = []
    for folder in _FOLDERS:
        found += glob.glob(folder + "/**/*.ttf", recursive=True)
    return sorted(found)


@functools.lru_cache(maxsize=512)
def _load(index, size):
    files = _font_files()
    if not files:
        return ImageFont.load_default()
    return ImageFont.truetype(files[index % len(files)], size, layout_engine=ImageFont.Layout.BASIC)


def font(rng, size):
    return _load(rng.randrange(64), max(5, int(size)))


def word(rng):
    made = "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(1, 4)))
    how = rng.random()
    if how < 0.12:
        return str(rng.randint(0, 9999))
    return made.upper() if how < 0.2 else made.capitalize() if how < 0.4 else made


def words(rng, low, high):
    return " ".join(word(rng) for _ in range(rng.randint(low, high)))


def wrap(draw, text, face, width):
    """Breaks a text into lines no wider than width pixels."""
    lines, line = [], ""
    for part in text.split():
        longer = (line + " " + part).strip()
        if line and draw.textlength(longer, font=face) > width:
            lines.append(line)
            line = part
        else:
            line = longer
    return lines + [line]


def block(draw, rng, box, text, fill, size=None, outline=None, align="center", face=None):
    """Writes a wrapped text into box = (left, top, right, bottom), downwards from its top."""
    left, top, right, bottom = box
    size = size or max(6, (bottom - top) / 2.5)
    face = face or font(rng, size)
    y = top
    for line in wrap(draw, text, face, right - left):
        length = draw.textlength(line, font=face)
        x = left if align == "left" else left + (right - left - length) / 2
        stroke = max(1, int(size / 12)) if outline is not None else 0
        draw.text((x, y), line, font=face, fill=fill, stroke_width=stroke, stroke_fill=outline)
        y += size * 1.15
        if y > bottom:
            break
