#!/usr/bin/env python3
"""Measures recall at one false match per million pairs on the validation part, per edit: raw, normalised, with views.

References: every validation photograph and screenshot, and memes in groups of four texts on one template (templates are
not references themselves). Originals to edit are drawn from the references. A pair is (edited picture, reference): with views,
its score is the best over the views. The validation part is never trained on, nor in the background.
"""

import argparse
import json
import os
import random
import time

import numpy as np
import torch

import data
import draw
import edit_geometry as geo
import edit_overlays as over
import edit_pixels as px
from export import embed, fold, load, write_json


def _then(*steps):
    def run(i, r, o):
        for step in steps:
            i = step(i, r, o)
        return i
    return run


def _jpeg(q):
    return lambda i, r, o: px.jpeg(i, r, (q, q))


def _crop(keep):
    return lambda i, r, o: geo.centre_crop(i, r, (keep, keep))


EDITS = {
    "easy": {
        "jpeg 75": _jpeg(75), "jpeg 30": _jpeg(30), "half size": lambda i, r, o: px.rescale(i, r, (0.5, 0.5)),
        "thumbnail": lambda i, r, o: px.rescale(i, r, (0.35, 0.35)), "grey": lambda i, r, o: px.grey(i, r),
        "brightness, contrast": lambda i, r, o: px.light(i, r, (1.3, 1.3), (1.3, 1.3)), "gamma": lambda i, r, o: px.gamma(i, r, (0.6, 0.6)),
        "saturation, hue": lambda i, r, o: px.hue(i, r, (0.08, 0.08), (1.5, 1.5)), "blur 1.5": lambda i, r, o: px.blur(i, r, (0.0035, 0.0035)),
        "crop 95%": _crop(0.95), "corner watermark": lambda i, r, o: over.watermark(i, r, False)},
    "medium": {
        "jpeg 8": _jpeg(8), "crop 80%": _crop(0.8), "corner crop 75%": lambda i, r, o: geo.corner_crop(i, r, (0.75, 0.75)),
        "stretched": lambda i, r, o: geo.stretch(i, r, (1.4, 1.4)), "border 12%": lambda i, r, o: geo.border(i, r, (0.12, 0.12)),
        "caption bar": lambda i, r, o: over.caption_bar(i, r, (0.18, 0.25)), "large text": lambda i, r, o: over.impact(i, r, (0.14, 0.18)),
        "sticker 15%": lambda i, r, o: over.sticker(i, r, (0.15, 0.15)), "rotated 5": lambda i, r, o: geo.rotate(i, r, (5, 5), False),
        "noise": lambda i, r, o: px.noise(i, r, (20, 30)), "blur 4": lambda i, r, o: px.blur(i, r, (0.01, 0.01)),
        "sepia": lambda i, r, o: px.sepia(i, r), "phone screenshot": lambda i, r, o: geo.phone(i, r),
        "pixelated": lambda i, r, o: px.pixelate(i, r, (32, 40)),
        "crop 90% + jpeg 30 + bar": _then(_crop(0.9), lambda i, r, o: over.caption_bar(i, r, (0.12, 0.2)), _jpeg(30))},
    "hard": {
        "mirror": lambda i, r, o: geo.mirror(i, r), "quarter turn": lambda i, r, o: geo.quarter(i, r),
        "rotated 25": lambda i, r, o: geo.rotate(i, r, (25, 25), False), "crop 50%": lambda i, r, o: geo.crop(i, r, (0.5, 0.5), aspect=(1, 1)),
        "crop 60% + mirror + jpeg 30": _then(_crop(0.6), lambda i, r, o: geo.mirror(i, r), _jpeg(30)),
        "picture in picture 40%": lambda i, r, o: geo.inset(i, r, o, (0.4, 0.4)),
        "perspective": lambda i, r, o: geo.perspective(i, r, (0.2, 0.2)), "side by side": lambda i, r, o: geo.beside(i, r, o, (0.5, 0.5)),
        "negative": lambda i, r, o: px.negative(i, r), "checkerboard 35%": lambda i, r, o: over.checkerboard(i, r, (6, 9), (1, 1)),
        "photo of a screen": lambda i, r, o: over.screen_photo(i, r),
        "combination": _then(_crop(0.8), lambda i, r, o: px.light(i, r), lambda i, r, o: over.impact(i, r), lambda i, r, o: geo.rotate(i, r, (4, 4)),
                             _jpeg(40))},
}


def trimmed(img, tolerance=12):
    """Cuts uniform borders off; None when there are none, or when hardly anything would be left."""
    a = np.asarray(img).astype(np.int16)

    def run(lines):
        n = 0
        while n < len(lines) - 1 and np.abs(lines[n] - lines[0].reshape(-1, 3)[0]).mean() < tolerance / 3 and np.ptp(lines[n], axis=0).max() < 3 * tolerance:
            n += 1
        return n

    top, bottom = run(a), run(a[::-1])
    left, right = run(a.swapaxes(0, 1)), run(a.swapaxes(0, 1)[::-1])
    w, h = img.width - left - right, img.height - top - bottom
    if top + bottom + left + right < 0.02 * (img.width + img.height) or w < img.width * 0.25 or h < img.height * 0.25:
        return None
    return img.crop((left, top, left + w, top + h))


FLAG_VIEWS = ("itself", "mirror", "90", "180", "270", "trimmed", "centre", "q1", "q2", "q3", "q4")


def flag_views(img):
    from PIL import Image
    w, h = img.size
    yield img
    for turn in (Image.FLIP_LEFT_RIGHT, Image.ROTATE_90, Image.ROTATE_180, Image.ROTATE_270):
        yield img.transpose(turn)
    yield trimmed(img) or img
    yield img.crop((round(w * .15), round(h * .15), round(w * .85), round(h * .85)))
    for x in (0, 1):
        for y in (0, 1):
            yield img.crop((x * w // 2, y * h // 2, (x + 1) * w // 2, (y + 1) * h // 2))


def references(photos, seed=3, groups=60):
    """[(picture, domain)]; domain "meme" comes in fours."""
    _, held = data.split(data.read_photos(photos))
    rng, made = random.Random(seed), []
    if not held:
        raise SystemExit("evaluate.py needs --photos: its validation part is what is measured")
    for name, files in sorted(held.items()):
        made += [(data.decode(f), name) for f in files]
    rng.shuffle(made)
    templates = [m for m in made if m[1] != "screen"][:groups]
    chosen = set(map(id, templates))
    made = [m for m in made if id(m) not in chosen]
    for template, _ in templates:
        style = draw.caption_style(rng)
        made += [(draw.caption(template, rng, style), "meme") for _ in range(4)]
    return made


def queries(refs, originals, seed=4):
    """Yields (edited picture, original's index, edit's index)."""
    rng = random.Random(seed)
    by_kind = {}
    for i, (_, kind) in enumerate(refs):
        by_kind.setdefault(kind if kind in ("meme", "screen") else "photo", []).append(i)
    share = {"photo": 0.7, "meme": 0.15, "screen": 0.15}
    chosen = [i for kind, every in by_kind.items() for i in rng.sample(every, min(len(every), int(originals * share[kind])))]
    edits = [e for group in EDITS.values() for e in group.values()]
    # The picture beside or around is a drawing: another reference there would be a true match.
    other = lambda: draw.scene(rng) if rng.random() < 0.5 else draw.leaves(rng)
    for i in chosen:
        for e, edit in enumerate(edits):
            yield edit(refs[i][0], rng, other), i, e


def top_mean(vectors, background, k=5):
    return np.concatenate([np.sort(part @ background.T, 1)[:, -k:].mean(1) for part in np.array_split(vectors, max(1, len(vectors) // 512))])


def measure(checkpoint, photos, originals, background):
    net, state = load(checkpoint)
    net, size = fold(net), state["size"]
    refs = references(photos)
    n = len(refs)
    flags = embed(net, (v for img, _ in refs for v in flag_views(img)), size).reshape(n, len(FLAG_VIEWS), -1)
    owner, edit, extra, at = [], [], [], []

    def asked():
        for img, i, e in queries(refs, originals):
            if (cut := trimmed(img)) is not None:
                extra.append(cut), at.append(len(owner))
            owner.append(i), edit.append(e)
            yield img

    asks = embed(net, asked(), size)
    return dict(refs=refs, flags=flags, asks=asks, owner=np.array(owner), edit=np.array(edit), trims=embed(net, extra, size), at=np.array(at),
                background=np.load(background).astype(np.float32) if background else None)


def scores(m, views, normalised, trim):
    """[queries, references], the best over views and over the trimmed query."""
    flags = m["flags"][:, views]
    share_r = 0.5 * top_mean(flags.reshape(-1, flags.shape[-1]), m["background"]).reshape(flags.shape[:2]) if normalised else np.zeros(flags.shape[:2])

    def best(q):
        share_q = 0.5 * top_mean(q, m["background"]) if normalised else np.zeros(len(q))
        out = np.full((len(q), len(flags)), -9, np.float32)
        for v in range(flags.shape[1]):
            np.maximum(out, q @ flags[:, v].T - share_r[:, v], out)
        return out - share_q[:, None].astype(np.float32)

    s = best(m["asks"])
    if trim and len(m["at"]):
        s[m["at"]] = np.maximum(s[m["at"]], best(m["trims"]))
    return s


def threshold(s, owner, rate, among=None):
    """The lowest score above which no more than rate of the non-matching pairs lie; also the pairs, and distinct false originals."""
    wrong = np.ones(s.shape, bool)
    wrong[np.arange(len(s)), owner] = False
    if among is not None:
        wrong &= among
    values = s[wrong]
    k = int(len(values) * rate)
    t = np.partition(values, len(values) - 1 - k)[len(values) - 1 - k] + 1e-6
    over_it = np.argwhere(wrong & (s >= t - 1e-6))
    return float(t), len(values), len({(int(owner[q]), int(r)) for q, r in over_it})


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("checkpoint")
    p.add_argument("--photos", action="append", required=True)
    p.add_argument("--model", help="exported folder, whose background normalises")
    p.add_argument("--originals", type=int, default=300)
    p.add_argument("--write", action="store_true", help="write the thresholds to --model's moderation.json")
    a = p.parse_args()
    torch.set_num_threads(1)
    start = time.time()
    m = measure(a.checkpoint, a.photos, a.originals, os.path.join(a.model, "background.npy") if a.model else None)
    names = [(g, e) for g, edits in EDITS.items() for e in edits]
    kind = np.array([d if d in ("meme", "screen") else "photo" for _, d in m["refs"]])
    every = list(range(len(FLAG_VIEWS)))
    ways = {"raw": ([0], False, False)}
    if a.model:
        ways |= {"normalised": ([0], True, False), "+ turns": (every[:5], True, True), "+ all views": (every, True, True)}
    hits, found = {}, {}
    for way, (views, norm, trim) in ways.items():
        s = scores(m, views, norm, trim)
        own = s[np.arange(len(s)), m["owner"]]
        t, pairs, distinct = threshold(s, m["owner"], 1e-6)
        t5, _, _ = threshold(s, m["owner"], 1e-5)
        photo = (kind[m["owner"]] == "photo")
        tp, _, _ = threshold(s, m["owner"], 1e-6, photo[:, None] & (kind == "photo")[None, :])
        hits[way] = own >= t
        found[way] = (t, t5, pairs)
        by = {g: np.mean([hits[way][m["edit"] == i].mean() for i, (gg, _) in enumerate(names) if gg == g]) for g in EDITS}
        print(f"{way:12} t={t:.4f} t(1e-5)={t5:.4f} pairs={pairs / 1e6:.1f}M false originals={distinct}  "
              + "  ".join(f"{g} {v:.3f}" for g, v in by.items()) + f"  all {hits[way].mean():.3f}  at 1e-5 {np.mean(own >= t5):.3f}  "
              f"photos alone {np.mean(own[photo] >= tp):.3f}  " + "  ".join(f"{k} {hits[way][kind[m['owner']] == k].mean():.3f}" for k in ("photo", "meme", "screen")), flush=True)
    print(f"{'':34}" + "".join(f"{w:>13}" for w in ways))
    for i, (g, e) in enumerate(names):
        print(f"{g:7} {e:26}" + "".join(f"{hits[w][m['edit'] == i].mean():13.3f}" for w in ways))
    print(f"{time.time() - start:.0f} s")
    if a.write:
        t, t5, pairs = found["+ all views"]
        write_json(os.path.join(a.model, "moderation.json"), {
            "score": "normalised", "block_at": round(t, 4), "review_at": round(t5, 4),
            "measured": {"how": "tools/train/evaluate.py: best over flag views and the trimmed upload; block at 1e-6, review at 1e-5 false matches a pair",
                         "pairs": pairs, "originals": a.originals, "references": len(m["refs"]), "edits": len(names),
                         "split": "validation (a contiguous tenth of each training folder, never trained on)", "date": time.strftime("%Y-%m-%d"),
                         "recall": round(float(hits["+ all views"].mean()), 4)}})


if __name__ == "__main__":
    main()
