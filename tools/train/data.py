"""What a batch is made of: photographs, drawn pictures, and hard negatives side by side.

A batch is a list of pictures, each made into two views. Pictures come in chunks of eight of one domain, so that every
picture has rivals of its own kind among its negatives. A share of the chunks are memes: four different texts on
one template, twice. Everything follows from (seed, step): a resumed run sees the batches that it would have seen.
"""

import io
import os
import random
import tarfile

import numpy as np
import torch
from PIL import Image

import draw
from edits import flagged_view, upload_view

CHUNK = 8
LONG_SIDE = 160
HOLDOUT = 0.1


def read_photos(sources):
    """{domain: [JPEG bytes]} in the order of their names; the domain is the folder that a file lies in."""
    found = {}
    for source in sources:
        if os.path.isdir(source):
            for folder, _, names in os.walk(source):
                for name in names:
                    if name.lower().endswith((".jpg", ".jpeg", ".png", ".webp")):
                        with open(os.path.join(folder, name), "rb") as f:
                            found[os.path.join(folder, name)] = f.read()
        else:
            with tarfile.open(source) as tar:
                for member in tar:
                    if member.isfile() and member.name.lower().endswith((".jpg", ".jpeg", ".png", ".webp")):
                        found[member.name] = tar.extractfile(member).read()
    domains = {}
    for path in sorted(found):
        domains.setdefault(os.path.basename(os.path.dirname(path)) or "photos", []).append(found[path])
    return domains


def split(domains, holdout=HOLDOUT, seed=7):
    """Training and validation parts of every domain. The validation part is one run of neighbouring names, because
    neighbours are often shots of one thing, and a picture must not be on one side and its twin on the other."""
    train, held = {}, {}
    for name, files in sorted(domains.items()):
        n = int(len(files) * holdout)
        start = random.Random(f"{seed} {name}").randrange(max(1, len(files) - n))
        held[name] = files[start:start + n]
        train[name] = files[:start] + files[start + n:]
    return train, held


def decode(data):
    img = Image.open(io.BytesIO(data))
    img.draft("RGB", (LONG_SIDE, LONG_SIDE))
    img = img.convert("RGB")
    if max(img.size) > LONG_SIDE:
        img.thumbnail((LONG_SIDE, LONG_SIDE), Image.BICUBIC)
    return img


TURNS = (None, Image.FLIP_LEFT_RIGHT, Image.ROTATE_90, Image.ROTATE_180, Image.ROTATE_270)


def draw_turn(rng):
    """How a picture is turned before both of its views are made. The flags' mirrored and turned views are pictures like any other:
    what stands on its side has to be told apart as well as what stands upright."""
    return rng.choices(TURNS, (0.5, 0.15, 0.13, 0.09, 0.13))[0]


def turned(img, turn):
    return img if turn is None else img.transpose(turn)


class Source:
    """Draws pictures of a domain at random."""

    def __init__(self, domains):
        self.photos = {k: v for k, v in domains.items() if v}
        self.names = list(self.photos)
        # The square root keeps a large collection from crowding out the small ones.
        self.weights = [len(v) ** 0.75 for v in self.photos.values()]

    def any_photo(self, rng):
        if not self.names:
            return self.drawn(rng)
        return decode(rng.choice(self.photos[rng.choices(self.names, self.weights)[0]]))

    def drawn(self, rng):
        return draw.KINDS[rng.choice(list(draw.KINDS))](rng)

    def other(self, rng):
        """An unrelated picture, for insets, sides and stickers."""
        how = rng.random()
        return self.any_photo(rng) if how < 0.75 else self.drawn(rng) if how < 0.9 else draw.screen(rng)

    def chunk(self, rng, kind):
        """Eight pictures of a kind, each with an identity: two views of equal identity are never each other's negatives."""
        if kind == "meme":
            made = []
            for _ in range(2):
                template = self.any_photo(rng) if rng.random() < 0.8 else self.drawn(rng)
                style, turn = draw.caption_style(rng), draw_turn(rng)
                made += [(turned(draw.caption(template, rng, style), turn), None) for _ in range(4)]
            return made
        if kind == "screen":
            return [(turned(draw.screen(rng), draw_turn(rng)), None) for _ in range(CHUNK)]
        if kind == "drawn":
            which = draw.KINDS[rng.choice(list(draw.KINDS))]
            return [(turned(which(rng), draw_turn(rng)), None) for _ in range(CHUNK)]
        files = self.photos[kind]
        return [(turned(decode(files[i]), draw_turn(rng)), (kind, i)) for i in rng.sample(range(len(files)), min(CHUNK, len(files)))]

    def kinds(self, rng, count):
        """The kinds of a batch's chunks: a quarter of memes, a sixteenth each of drawn screens and other drawings."""
        if not self.names:
            return [rng.choices(("meme", "screen", "drawn"), (2, 1.5, 4.5))[0] for _ in range(count)]
        fixed = ["meme"] * round(count / 4) + ["screen"] * round(count / 16) + ["drawn"] * round(count / 16)
        return fixed + rng.choices(self.names, self.weights, k=count - len(fixed))


def squash(img, size, rng=None):
    """To the network's square, as the preprocessor does; in training with any resampling filter."""
    how = Image.BICUBIC if rng is None else rng.choice((Image.BICUBIC, Image.BICUBIC, Image.BILINEAR, Image.LANCZOS, Image.BOX))
    return np.asarray(img.resize((size, size), how))


class Batches(torch.utils.data.Dataset):
    """Item i is batch i: uint8 [2, N, 3, size, size], and int64 identities [N]."""

    def __init__(self, domains, pairs, size, seed, on_device=False):
        self.source, self.pairs, self.size, self.seed, self.on_device = Source(domains), pairs, size, seed, on_device
        self.offsets, total = {}, 0
        for name, files in self.source.photos.items():
            self.offsets[name] = total
            total += len(files)
        self.total = total

    def __len__(self):
        return 1 << 30

    def __getitem__(self, step):
        rng = random.Random(f"{self.seed} {step}")
        views = np.empty((2, self.pairs, self.size, self.size, 3), np.uint8)
        identity = np.empty(self.pairs, np.int64)
        other = lambda: self.source.other(rng)
        n = 0
        for kind in self.source.kinds(rng, -(-self.pairs // CHUNK)):
            for img, known in self.source.chunk(rng, kind)[:self.pairs - n]:
                identity[n] = self.offsets[known[0]] + known[1] if known else self.total + step * self.pairs + n
                views[0, n] = squash(flagged_view(img, rng, other), self.size, rng)
                views[1, n] = squash(upload_view(img, rng, other, self.on_device), self.size, rng)
                n += 1
        return torch.from_numpy(views[:, :n]).permute(0, 1, 4, 2, 3), torch.from_numpy(identity[:n])
