#!/usr/bin/env python3
"""Measures recall at one false match per million pairs on the validation part, per edit: raw, normalised, with views.

References: every validation photograph and screenshot, and memes, two texts on each template (templates are
not references themselves). Originals to edit are drawn from the references. A pair is (edited picture, reference): with views,
its score is the best over the views. The validation part is never trained on, nor in the background.
"""

import argparse
import os
import pickle
import random
import time

import numpy as np
import torch
from PIL import Image

import data
import draw
import suite
import views
from export import batches, load, write_json
from pdq import distances, pdq

PDQ_BITS, PDQ_QUALITY = 31, 50
SHARES = {"photo": 0.7, "meme": 0.15, "screen": 0.15}
EDITS = [(group, name, edit) for group, edits in suite.GROUPS.items() for name, edit in edits.items()]
TURNS = ("original", "flip-horizontal", "rotate-90", "rotate-180", "rotate-270", "trimmed")
ALL = TURNS + ("center-70", "quarter-tl", "quarter-tr", "quarter-bl", "quarter-br")
# name, views of the flag, normalised, the upload's trimmed view as well; --ways picks some, and the last is what the thresholds are for
WAYS = {"raw": (ALL[:1], False, False), "normalised": (ALL[:1], True, False), "trim": (("original", "trimmed"), True, True),
        "mirror": (("original", "flip-horizontal", "trimmed"), True, True), "turns": (TURNS, True, True),
        "mirror+crops": (("original", "flip-horizontal", "trimmed") + ALL[6:], True, True), "all views": (ALL, True, True)}


def without_twins(made):
    """Drops the later of two pictures that are one picture in two files: alike as thumbnails, and by PDQ. The model has no say."""
    hashes = np.stack([pdq(img)[0][0] for img, _ in made])
    small = np.stack([np.asarray(img.resize((24, 24), Image.BOX), np.float32).ravel() for img, _ in made])
    near = distances(hashes, hashes) <= 64
    dropped = {j for i, j in np.argwhere(np.triu(near, 1)) if np.abs(small[i] - small[j]).mean() < 8}
    print(f"{len(made)} pictures in the validation part, {len(dropped)} twins left out")
    return [m for i, m in enumerate(made) if i not in dropped]


def references(photos, seed=3, groups=80):
    """[(picture, domain)]; domain "meme" comes in pairs."""
    _, held = data.split(data.read_photos(photos))
    rng, made = random.Random(seed), []
    if not held:
        raise SystemExit("evaluate.py needs --photos: its validation part is what is measured")
    for name, files in sorted(held.items()):
        made += [(data.decode(f), name) for f in files]
    made = without_twins(made)
    rng.shuffle(made)
    templates = [m for m in made if m[1] != "screen"][:groups]
    chosen = set(map(id, templates))
    made = [m for m in made if id(m) not in chosen]
    for template, _ in templates:
        made += [(img, "meme") for img in captioned_pair(template, rng)]
    return made


def captioned_pair(template, rng, tries=12):
    """One template with two texts that even PDQ tells apart by more than its limit and a little: texts that make a difference to the eye."""
    for _ in range(tries):
        style = draw.caption_style(rng)
        pair = [draw.caption(template, rng, style) for _ in range(2)]
        if distances(*(pdq(img)[0] for img in pair))[0, 0] > PDQ_BITS + 9:
            return pair
    return pair[:1]


def queries(refs, originals, seed=4):
    """Yields (edited picture, original's index, edit's index)."""
    rng = random.Random(seed)
    by_kind = {"photo": [], "meme": [], "screen": []}
    for i, (_, kind) in enumerate(refs):
        by_kind[kind if kind in by_kind else "photo"].append(i)
    chosen = [i for kind, every in by_kind.items() for i in rng.sample(every, min(len(every), round(originals * SHARES[kind])))]
    # The picture beside or around is a drawing: another reference there would be a true match.
    other = lambda: draw.scene(rng) if rng.random() < 0.5 else draw.leaves(rng)
    for i in chosen:
        for e, (_, name, edit) in enumerate(EDITS):
            yield edit(refs[i][0], rng, other), i, e


def top_mean(vectors, background, k=5):
    """b(x) of each vector: the mean of its k highest inner products with the background."""
    return np.concatenate([np.sort(part @ background.T, 1)[:, -k:].mean(1) for part in np.array_split(vectors, max(1, len(vectors) // 512))])


@torch.no_grad()
def embed(net, pictures, size):
    """Vectors of PIL pictures (any iterable), in order."""
    return np.concatenate([net(x).numpy() for x in batches(data.squash(img, size) for img in pictures)])


def measure(checkpoint, photos, originals):
    """Everything that the scores follow from: vectors and PDQ hashes of all views of references and edited pictures."""
    net, state = load(checkpoint)
    size = state["size"]
    refs = references(photos)
    m = {"refs": refs, "ref": [], "view": [], "owner": [], "edit": [], "at": [], "ask_pdq": [], "ref_pdq": [], "pdq_of": []}

    def flagged():
        for i, (img, _) in enumerate(refs):
            for name, view in views.flagged(img):
                m["ref"].append(i), m["view"].append(name)
                if name in ("original", "trimmed"):
                    hashes, quality = pdq(view, turns=True)
                    if quality >= PDQ_QUALITY:
                        m["ref_pdq"].append(hashes), m["pdq_of"].append(i)
                yield view

    m["flags"] = embed(net, flagged(), size)
    trims = []

    def asked():
        for img, i, e in queries(refs, originals):
            cut = views.trimmed(img)
            if cut is not None:
                trims.append(cut), m["at"].append(len(m["owner"]))
            hashes, quality = pdq(img)
            inner, inner_quality = pdq(cut) if cut is not None else (hashes, 0)
            m["ask_pdq"].append((hashes[0], quality, inner[0], inner_quality))
            m["owner"].append(i), m["edit"].append(e)
            yield img

    m["asks"] = embed(net, asked(), size)
    m["trims"] = embed(net, trims, size) if trims else np.zeros((0, m["asks"].shape[1]), np.float32)
    return {k: np.array(v) if k in ("ref", "view", "owner", "edit", "at", "pdq_of") else v for k, v in m.items()}


def scores(m, names, normalised, trim):
    """[edited pictures, references]: the best over the named views of the reference and the trimmed view of the upload."""
    use = np.flatnonzero(np.isin(m["view"], names))
    flags, ref = m["flags"][use], m["ref"][use]
    starts = np.flatnonzero(np.r_[True, ref[1:] != ref[:-1]])  # every reference has its original, so none is without a view
    share = 0.5 * top_mean(flags, m["background"]) if normalised else np.zeros(len(flags))

    def best(q):
        own = 0.5 * top_mean(q, m["background"]) if normalised else np.zeros(len(q))
        parts = [np.maximum.reduceat(part @ flags.T - share, starts, axis=1) for part in np.array_split(q, max(1, len(q) // 256))]
        return (np.concatenate(parts) - own[:, None]).astype(np.float32)

    s = best(m["asks"])
    if trim and len(m["at"]):
        s[m["at"]] = np.maximum(s[m["at"]], best(m["trims"]))
    return s


def pdq_matches(m, turns):
    """bool [edited pictures, references]: within PDQ_BITS, quality permitting; upright only, or all turns and the trimmed views."""
    hashes = np.stack([h if turns else h[:1] for h in m["ref_pdq"]])
    per, flat = hashes.shape[1], hashes.reshape(-1, 256)
    out = np.zeros((len(m["owner"]), len(m["refs"])), bool)
    for h, quality in ((0, 1), (2, 3))[:2 if turns else 1]:
        good = np.array([q[quality] >= PDQ_QUALITY for q in m["ask_pdq"]])
        near = distances(np.stack([q[h] for q in m["ask_pdq"]]), flat).reshape(len(out), -1, per).min(2) <= PDQ_BITS
        near &= good[:, None]
        for column, i in enumerate(m["pdq_of"]):
            out[:, i] |= near[:, column]
    return out


def threshold(s, owner, rate, among=None):
    """The score that no more than rate of the non-matching pairs exceed; also the pairs, and the distinct pairs of originals above."""
    wrong = np.ones(s.shape, bool) if among is None else among.copy()
    wrong[np.arange(len(s)), owner] = False
    values = s[wrong]
    k = len(values) - 1 - int(len(values) * rate)
    t = np.partition(values, k)[k]
    above = np.argwhere(wrong & (s > t))
    return float(np.nextafter(t, np.float32(9))), len(values), len({(int(owner[q]), int(r)) for q, r in above})


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("checkpoint")
    p.add_argument("--photos", action="append", required=True)
    p.add_argument("--model", required=True, help="exported folder, whose background normalises")
    p.add_argument("--originals", type=int, default=300)
    p.add_argument("--cache", help="file to keep the vectors in, to measure again without making them again")
    p.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    p.add_argument("--write", action="store_true", help="write the thresholds to --model's moderation.json")
    a = p.parse_args()
    torch.set_num_threads(1)
    start = time.time()
    if a.cache and os.path.exists(a.cache):
        with open(a.cache, "rb") as f:
            m = pickle.load(f)
    else:
        m = measure(a.checkpoint, a.photos, a.originals)
        if a.cache:
            with open(a.cache, "wb") as f:
                pickle.dump(m, f)
    m["background"] = np.load(os.path.join(a.model, "background.npy")).astype(np.float32)
    kinds = np.array([d if d in ("meme", "screen") else "photo" for _, d in m["refs"]])
    kind, rows = kinds[m["owner"]], np.arange(len(m["owner"]))
    photos = (kind == "photo")[:, None] & (kinds == "photo")[None, :]
    columns, limits = {}, {}

    def report(way, hit, note):
        columns[way] = hit
        group = {g: np.mean([hit[m["edit"] == e].mean() for e, (gg, _, _) in enumerate(EDITS) if gg == g]) for g in suite.GROUPS}
        print(f"{way:14}" + "".join(f" {g} {v:.3f}" for g, v in group.items()) + f" all {hit.mean():.3f} |"
              + "".join(f" {k} {hit[kind == k].mean():.3f}" for k in SHARES) + " | " + note, flush=True)

    for way, turns in (("pdq", False), ("pdq, views", True)):
        near = pdq_matches(m, turns)
        hit = near[rows, m["owner"]].copy()
        near[rows, m["owner"]] = False
        report(way, hit, f"{near.sum()} false of {near.size}")
    by_pdq = columns["pdq, views"]
    for way in a.ways:
        names, normalised, trim = WAYS[way]
        s = scores(m, names, normalised, trim)
        own = s[rows, m["owner"]]
        t, pairs, distinct = threshold(s, m["owner"], 1e-6)
        t5, _, _ = threshold(s, m["owner"], 1e-5)
        tp, _, _ = threshold(s, m["owner"], 1e-6, photos)
        limits[way] = (t, t5, pairs)
        report(way, own >= t, f"t {t:.4f}, at 1e-5 {t5:.4f} ({np.mean(own >= t5):.3f}), photos among photos t {tp:.4f} "
               f"({np.mean(own[kind == 'photo'] >= tp):.3f}), {pairs / 1e6:.1f}M pairs, {distinct} false originals")
    report("union", columns[a.ways[-1]] | by_pdq, f"{a.ways[-1]} or pdq, views")
    print(f"\n{'':34}" + "".join(f"{w:>15}" for w in columns))
    for e, (group, name, _) in enumerate(EDITS):
        print(f"{group:7} {name:26}" + "".join(f"{hit[m['edit'] == e].mean():15.3f}" for hit in columns.values()))
    print(f"{time.time() - start:.0f} s")
    if a.write:
        t, t5, pairs = limits[a.ways[-1]]
        write_json(os.path.join(a.model, "moderation.json"), {
            "score": "normalised", "block_at": round(t, 4), "review_at": round(t5, 4),
            "measured": {"how": f"tools/train/evaluate.py, {a.ways[-1]}: the best over the flag's views and the trimmed upload; block_at lets one in a "
                                "million non-matching pairs through, review_at one in a hundred thousand",
                         "pairs": pairs, "originals": len(set(m["owner"])), "references": len(m["refs"]), "edits": len(EDITS),
                         "split": "validation: a contiguous tenth of each folder of training photographs, never trained on",
                         "date": time.strftime("%Y-%m-%d"), "recall": round(float(columns[a.ways[-1]].mean()), 4)}})


if __name__ == "__main__":
    main()
