#!/usr/bin/env python3
"""Writes a checkpoint as a model folder in Hugging Face's layout: graph, preprocessing, background.

No ONNX Runtime is needed here. What is checked here is that the network in 8-bit integers still gives nearly the checkpoint's
vectors. onnx/check.json then carries an input (as a formula) and the vector that belongs to it, so that any runtime can check the
graph itself.
"""

import argparse
import itertools
import json
import os
import random
import warnings

import numpy as np
import torch

import data
import draw
import folder
from edits import upload_view
from network import MEAN, STD, CopyNet, macs
from quantised import quantise

NAME = "copydetect"
PART = 512  # pictures of the background that scales are found on, and as many more that are compared


def load(path):
    """The network of a checkpoint or a model folder, and what else is in it."""
    if os.path.isdir(path):
        return folder.load(path)
    state = torch.load(path, map_location="cpu")
    net = CopyNet(**state.get("config", {}))  # checkpoints of before have none
    net.load_state_dict(state["net"])
    return net.eval(), state


def normalise(pixels):
    """uint8 [N, S, S, 3] to the network's input, as preprocessor_config.json says."""
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


def background_pictures(photos, rows, seed=11):
    """The background's pictures, all unrelated: of five eighths, three quarters are photographs of the training part and the rest memes,
    screens and drawings, half of them mirrored or turned as the flags' views are; the other three eighths are edited as
    uploads are, so that what an edit makes alike (grey, dark, checked, framed) counts less. Never the validation part."""
    rng = random.Random(seed)
    train_part, _ = data.split(data.read_photos(photos))
    source = data.Source(train_part)
    every = [blob for name in sorted(train_part) for blob in train_part[name]]
    rng.shuffle(every)
    plain = rows * 5 // 8
    count = min(len(every), plain * 3 // 4)
    for i in range(plain):
        if i < count:
            img = data.decode(every[i])
        elif i % 4 < 2:
            img = draw.caption(source.any_photo(rng), rng, draw.caption_style(rng))
        else:
            img = draw.screen(rng) if i % 4 == 2 else source.drawn(rng)
        yield data.turned(img, data.draw_turn(rng))
    for i in range(rows - plain):
        img = data.decode(every[-1 - i % len(every)]) if every else source.drawn(rng)
        yield upload_view(img, rng, lambda: source.other(rng))


def pattern(size):
    """The check's picture: pixel(y, x, c) = (7x + 13y + 29c) mod 256."""
    y, x, c = np.mgrid[:size, :size, :3]
    return ((7 * x + 13 * y + 29 * c) % 256).astype(np.uint8)[None]


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def batches(pictures, count=64):
    """The network's inputs [count or fewer, 3, S, S] of pictures uint8 [S, S, 3] (any iterable), in order."""
    pictures = iter(pictures)
    while some := list(itertools.islice(pictures, count)):
        yield normalise(np.stack(some))


@torch.no_grad()
def export(checkpoint, out, photos=(), rows=4096):
    net, state = load(checkpoint)
    size, dim = state["size"], net.config["dim"]
    pictures = [data.squash(img, size) for img in background_pictures(photos, rows)]
    mixed = random.Random(3).sample(pictures, min(2 * PART, rows))
    small = quantise(net, batches(mixed[:PART]))
    away = 1 - torch.cat([(net(x) * small(x)).sum(1) for x in batches(mixed[-PART:])])
    if not away.mean() < 5e-3:
        raise SystemExit(f"in 8-bit integers vectors are {away.mean():.4f} (1 - cosine) away from the checkpoint's; wanted below 0.005")

    os.makedirs(os.path.join(out, "onnx"), exist_ok=True)
    path = os.path.join(out, "onnx", "vision_model.onnx")
    warnings.filterwarnings("ignore", category=UserWarning, module="torch.onnx")
    warnings.filterwarnings("ignore", category=FutureWarning, message="'torch.onnx")
    probe = normalise(pattern(size))
    torch.onnx.export(small, probe, path, input_names=["pixel_values"], output_names=["image_embeds"], opset_version=14,
                      dynamic_axes={"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}}, do_constant_folding=False)
    write_json(os.path.join(out, "onnx", "check.json"), {
        "picture": "pixel[y][x][c] = (7*x + 13*y + 29*c) mod 256, of the input's size", "cosine": 0.999,
        "output": [round(float(v), 6) for v in small(probe)[0]]})
    write_json(os.path.join(out, "config.json"), {
        "_name_or_path": NAME, "model_type": NAME, "architectures": ["CopyNet"], "image_size": size, "projection_dim": dim, "num_channels": 3,
        "widths": net.config["widths"], "blocks": net.config["blocks"], "inner": net.config["inner"], "trained_steps": state["step"]})
    write_json(os.path.join(out, "preprocessor_config.json"), {
        "image_processor_type": "ViTImageProcessor", "do_convert_rgb": True, "do_resize": True, "size": {"height": size, "width": size}, "resample": 3, "do_center_crop": False,
        "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": list(MEAN), "image_std": list(STD)})
    background = torch.cat([small(x) for x in batches(pictures)]).numpy()
    background /= np.linalg.norm(background, axis=1, keepdims=True)
    np.save(os.path.join(out, "background.npy"), background.astype("<f2"))
    moderation = os.path.join(out, "moderation.json")
    if not os.path.exists(moderation):
        write_json(moderation, {"score": "normalised", "block_at": 0.5, "review_at": 0.45,
                                "measured": {"how": "not measured: run evaluate.py --write on this folder"}})
    print(f"{out}: {os.path.getsize(path)} bytes of graph, {macs(net, size) / 1e6:.0f} MMAC, {len(background)} background vectors, "
          f"in 8-bit integers {away.mean():.5f} away (1 - cosine), at most {away.max():.4f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("checkpoint")
    p.add_argument("out")
    p.add_argument("--photos", action="append", default=[])
    p.add_argument("--rows", type=int, default=4096)
    a = p.parse_args()
    torch.set_num_threads(1)
    export(a.checkpoint, a.out, a.photos, a.rows)
