#!/usr/bin/env python3
"""Trains the copy-detection network. See README.md for commands.

The learning rate follows the clock: warm-up, then a cosine over --minutes of training time, so a run ends when it is
told to on a machine of any speed. A checkpoint holds everything that --resume needs, the time spent included.
"""

import argparse
import functools
import json
import math
import os
import random
import time

import numpy as np
import torch

import data
import device_edits
from losses import info_nce, koleo
from network import MEAN, STD, CopyNet, macs


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--photos", action="append", default=[], help="tar or folder of photographs; may be given again")
    p.add_argument("--work", default="run", help="folder for checkpoints and the log")
    p.add_argument("--out", help="folder to export the model to at the end")
    p.add_argument("--minutes", type=float, default=90, help="training time, of all resumed parts together")
    p.add_argument("--pairs", type=int, default=0, help="pairs a batch; 0: 128, on a GPU 1024")
    p.add_argument("--size", type=int, default=128)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--temperature", type=float, default=0.05)
    p.add_argument("--koleo", type=float, default=3.0)
    p.add_argument("--pooled", type=float, default=0.5, help="weight of the loss with pooled negatives")
    p.add_argument("--workers", type=int, default=0, help="processes that make pictures; 0: 1, on a GPU all cores")
    p.add_argument("--device-edits", choices=("auto", "yes", "no"), default="auto", help="edit batches on the device; auto: on a GPU")
    p.add_argument("--threads", type=int, default=1, help="threads of the network on a CPU")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --work")
    p.add_argument("--init", help="start from the weights of this checkpoint (fine-tuning: a new schedule)")
    p.add_argument("--smoke", action="store_true", help="a run of about a minute that shows that everything works")
    args = p.parse_args()
    if args.smoke:
        args.minutes, args.pairs = 0.5, args.pairs or 32
    return args


def prepare(pixels, device, strangers=None):
    """uint8 [2, N, 3, S, S] to the network's input [2N, 3, S, S]. With strangers the uploads' views are edited further, on the device."""
    x = pixels.to(device, non_blocking=True).float().div_(255)
    if strangers is not None:
        x[1] = device_edits.upload_views(x[1], strangers.to(device, non_blocking=True).float().div_(255))
    x = x.flatten(0, 1)
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def parameter_groups(net, decay=0.05):
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]


def schedule(step, done, warmup):
    """The learning rate's factor; done is the share of the time spent."""
    return min(1.0, (step + 1) / warmup) * (0.5 * (1 + math.cos(math.pi * min(1.0, done))) * 0.995 + 0.005)


@functools.cache
def multiplies_bfloat16():
    """Whether the CPU does; on others bfloat16 takes twenty times as long as float32."""
    if not os.path.exists("/proc/cpuinfo"):
        return False
    with open("/proc/cpuinfo") as f:
        flags = f.read()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def autocast(device):
    """bfloat16 where it is the faster."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda" or multiplies_bfloat16())


def save(path, **state):
    torch.save(state, path + ".part")
    os.replace(path + ".part", path)


def main():
    args = arguments()
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    torch.set_num_threads(args.threads)
    random.seed(args.seed), np.random.seed(args.seed), torch.manual_seed(args.seed)
    on_device = args.device_edits == "yes" or (args.device_edits == "auto" and cuda)
    pairs = args.pairs or (1024 if cuda else 128)
    os.makedirs(args.work, exist_ok=True)
    last = os.path.join(args.work, "last.pt")

    train_part, _ = data.split(data.read_photos(args.photos))
    batches = data.Batches(train_part, pairs, args.size, args.seed, on_device)
    resume = args.resume and os.path.exists(last)
    state = torch.load(last if resume else args.init, map_location=device) if resume or args.init else {}
    net = CopyNet(**state.get("config", {})).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(parameter_groups(net), lr=args.lr, betas=(0.9, 0.98))
    step, spent = 0, 0.0
    if state:
        net.load_state_dict(state["net"])
    if resume:
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    print(f"{sum(map(len, train_part.values()))} photographs, {pairs} pairs a batch, {device}, {macs(net, args.size) / 1e6:.0f} MMAC, "
          f"{sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters, from step {step}, {spent / 60:.1f} of {args.minutes} min", flush=True)

    loader = torch.utils.data.DataLoader(batches, batch_size=None, sampler=range(step, 1 << 30), prefetch_factor=6, pin_memory=cuda,
                                         num_workers=args.workers or (os.cpu_count() if cuda else 1))
    log = open(os.path.join(args.work, "log.jsonl"), "a", buffering=1)
    total, warmup = args.minutes * 60, 20 if args.smoke else 150
    clock = saved = time.monotonic()
    recent, waited, mark = [], 0.0, clock
    net.train()
    fetch, strangers = time.monotonic(), None
    for pixels, identity in loader:
        waited += time.monotonic() - fetch
        done = spent / total
        for group in optimizer.param_groups:
            group["lr"] = args.lr * schedule(step, done, warmup)
        x = prepare(pixels, device, (pixels if strangers is None else strangers)[0].roll(1, 0) if on_device else None)
        strangers = pixels
        identity = identity.repeat(2).to(device)
        with autocast(device.type):
            vectors = net(x)
        vectors = vectors.float()
        nce, pooled, found = info_nce(vectors, identity, args.temperature)
        loss = nce + args.pooled * pooled + args.koleo * koleo(vectors, identity)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        recent.append((nce.item(), pooled.item(), loss.item(), found.item()))
        now = time.monotonic()
        spent, clock = spent + now - clock, now
        finished = spent >= total
        if step % 20 == 0 or finished:
            a, p, b, c = np.mean(recent, 0)
            entry = {"step": step, "minutes": round(spent / 60, 2), "nce": round(a, 4), "pooled": round(p, 4), "loss": round(b, 4), "found": round(c, 4),
                     "images_per_s": round(2 * pairs * len(recent) / (now - mark)), "waited": round(waited / (now - mark), 3)}
            print(json.dumps(entry), file=log)
            recent, waited, mark = [], 0.0, now
            if step % 100 == 0 or args.smoke or finished:
                print(json.dumps(entry), flush=True)
        if now - saved > 180 or finished:
            save(last, net=net.state_dict(), config=net.config, optimizer=optimizer.state_dict(), step=step, spent=spent, size=args.size, args=vars(args))
            saved = now
        if finished:
            break
        fetch = time.monotonic()
    del loader
    if args.out:
        import export
        export.export(last, args.out, args.photos, rows=2048 if args.smoke else 4096)


if __name__ == "__main__":
    main()
