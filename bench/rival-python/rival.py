"""The script of the article that this project grew from, with what Debian has: torch and Pillow, one image at a time.

CLIP ViT-B/32 with random weights (the speed is the real one's), the reference preprocessing (bicubic to a shorter side
of 224, centre crop, normalise), no batches, torch.inference_mode.

Usage: rival.py SECONDS DIR...   prints one JSON line per folder of JPEG files
       rival.py check            fails where this Python cannot run it at its best
"""

import io
import json
import os
import pathlib
import resource
import sys
import time

# An OpenBLAS that is older than the processor takes its slowest kernels for it, unless it is told which.
flags = pathlib.Path("/proc/cpuinfo").read_text().split()
for kernels, needs in {"SKYLAKEX": {"avx512f", "avx512bw", "avx512dq", "avx512vl"}, "HASWELL": {"avx2", "fma"}}.items():
    if needs.issubset(flags):
        os.environ.setdefault("OPENBLAS_CORETYPE", kernels)
        break

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from torch import nn  # noqa: E402

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
SIDE, PATCH, WIDTH, HEADS, LAYERS, PROJECTION = 224, 32, 768, 12, 12, 512


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """A residual attention block, as in OpenAI's and open_clip's code."""

    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), QuickGELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Tower(nn.Module):
    """[N, 3, 224, 224] -> [N, 512]."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.cls = nn.Parameter(torch.randn(WIDTH) * WIDTH**-0.5)
        self.position = nn.Parameter(torch.randn((SIDE // PATCH) ** 2 + 1, WIDTH) * WIDTH**-0.5)
        self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.projection = nn.Parameter(torch.randn(WIDTH, PROJECTION) * WIDTH**-0.5)

    def forward(self, x):
        x = self.conv(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), 1, -1), x], 1) + self.position
        x = self.blocks(self.ln_pre(x))
        return self.ln_post(x[:, 0]) @ self.projection


def preprocess(data):
    """A file's bytes -> [1, 3, 224, 224]."""
    image = Image.open(io.BytesIO(data))
    width, height = image.size
    scale = SIDE / min(width, height)
    image = image.convert("RGB").resize((max(SIDE, int(width * scale)), max(SIDE, int(height * scale))), Image.BICUBIC)
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    pixels = np.asarray(image.crop((left, top, left + SIDE, top + SIDE)), np.float32) / 255
    return torch.from_numpy((pixels - MEAN) / STD).permute(2, 0, 1).unsqueeze(0).contiguous()


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(tower, files, seconds):
    count, wall, cpu = 0, time.perf_counter(), cpu_seconds()
    while time.perf_counter() - wall < seconds:
        with torch.inference_mode():
            vector = tower(preprocess(files[count % len(files)]))
            vector = vector / vector.norm(dim=-1, keepdim=True)
        vector.numpy().flatten()
        count += 1
    return {"images": count, "seconds": time.perf_counter() - wall, "cpu_seconds": cpu_seconds() - cpu}


def check():
    """Debian's torch takes the system's BLAS, and without OpenBLAS that is the reference one: fifty times slower."""
    a = torch.ones(64, 64)
    torch.mm(a, a)
    libraries = pathlib.Path("/proc/self/maps").read_text()
    if not any(name in libraries for name in ("openblas", "mkl", "blis")) and "libblas" in libraries:
        sys.exit("no fast BLAS")


def main():
    if sys.argv[1] == "check":
        return check()
    seconds, folders = float(sys.argv[1]), sys.argv[2:]
    torch.manual_seed(1)
    tower = Tower().eval()
    for folder in folders:
        files = [path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.jpg"))]
        measure(tower, files, 0.5)
        print(json.dumps({"size": pathlib.Path(folder).name, **measure(tower, files, seconds)}), flush=True)


if __name__ == "__main__":
    main()
