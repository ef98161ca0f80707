#!/usr/bin/env python3
"""Takes inner channels out of a trained network's residual blocks, and teaches the small network the vectors of the full one.

Of each block those channels stay that bring most energy to its second convolution; what the others brought is rebuilt from those
that stay, by least squares (He et al. 2017, "Channel Pruning for Accelerating Very Deep Neural Networks"). The distillation that follows
lowers 1 - cosine to the full network's vector on the views of training. Batch normalisations keep the statistics that
they have, so what is trained is the network as it is exported.
"""

import argparse
import json
import os
import time

import numpy as np
import torch
from torch.nn import functional as F

import data
from export import load
from network import CopyNet, Residual, macs
from train import autocast, parameter_groups, prepare, save, schedule

INNER = (16, 32, 64, 32, 32)


def residuals(net):
    return [m for m in net.modules() if isinstance(m, Residual)]


@torch.no_grad()
def moments(net, inputs):
    """Of each residual block the mean [9C] and covariance [9C, 9C] of the 3×3 patches that its second convolution sees."""
    found = [[0, 0, 0] for _ in residuals(net)]

    def hook(sums):
        def add(_, args):
            patches = F.unfold(args[0], 3, padding=1).transpose(1, 2).flatten(0, 1)
            sums[0] += len(patches)
            sums[1] += patches.sum(0).double()
            sums[2] += (patches.t() @ patches).double()
        return add

    hooks = [b.conv2.register_forward_pre_hook(hook(sums)) for b, sums in zip(residuals(net), found)]
    for x in inputs:
        net(x)
    for h in hooks:
        h.remove()
    return [(s / n, ss / n - torch.outer(s / n, s / n)) for n, s, ss in found]


def kept_channels(weight, covariance, count):
    """The count channels of weight [O, C, 3, 3] whose part of the output has the largest variance, in order."""
    w = weight.double().flatten(2)
    c = w.shape[1]
    own = covariance.view(c, 9, c, 9).diagonal(dim1=0, dim2=2)  # [9, 9, C]
    return torch.einsum("oci,ijc,ocj->c", w, own, w).topk(count).indices.sort().values


@torch.no_grad()
def prune(net, inner, inputs, ridge=1e-4):
    """net with inner channels in its blocks, in evaluation mode; inputs are batches [N, 3, S, S] to take the statistics on."""
    has = net.config["inner"]
    if len(inner) != len(has) or any(n > most for n, most in zip(inner, has)):
        raise SystemExit(f"--inner {inner}: the network has {has}; wanted as many numbers, none of them larger")
    small = CopyNet(**{**net.config, "inner": inner}).eval()
    whole = net.eval().state_dict()
    small.load_state_dict({**small.state_dict(), **{k: v for k, v in whole.items() if v.shape == small.state_dict()[k].shape}})
    for full, cut, (mean, covariance) in zip(residuals(net), residuals(small), moments(net, inputs)):
        count = cut.conv1.out_channels
        if count == full.conv1.out_channels:
            continue
        gain = full.bn2.weight / torch.sqrt(full.bn2.running_var + full.bn2.eps)
        keep = kept_channels(full.conv2.weight * gain[:, None, None, None], covariance, count)
        cut.conv1.weight.copy_(full.conv1.weight[keep])
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(cut.bn1, name).copy_(getattr(full.bn1, name)[keep])
        rows = (keep[:, None] * 9 + torch.arange(9)).flatten()
        weight = full.conv2.weight.double().flatten(1)
        own = covariance[rows][:, rows]
        own = own + ridge * own.diagonal().mean() * torch.eye(len(rows), dtype=own.dtype)
        rebuilt = torch.linalg.solve(own, covariance[rows] @ weight.t()).t()
        cut.conv2.weight.copy_(rebuilt.view(cut.conv2.weight.shape))
        cut.bn2.running_mean.sub_(weight @ mean - rebuilt @ mean[rows])
    return small


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("checkpoint", help="of the full network, or its model folder")
    p.add_argument("out", help="checkpoint to write")
    p.add_argument("--photos", action="append", default=[], help="tar or folder of photographs; may be given again")
    p.add_argument("--inner", type=int, nargs="+", default=INNER, help="channels inside each residual block; multiples of 16 are fast")
    p.add_argument("--minutes", type=float, default=25, help="of distillation; 0: prune alone")
    p.add_argument("--pairs", type=int, default=64, help="pairs a batch")
    p.add_argument("--statistics", type=int, default=16, help="batches to take the channels' statistics on")
    p.add_argument("--lr", type=float, default=5e-4)
    p.add_argument("--seed", type=int, default=21)
    return p.parse_args()


def main():
    a = arguments()
    torch.set_num_threads(1)
    os.makedirs(os.path.dirname(os.path.abspath(a.out)), exist_ok=True)
    teacher, state = load(a.checkpoint)
    train_part, _ = data.split(data.read_photos(a.photos))
    batches = data.Batches(train_part, a.pairs, state["size"], a.seed)
    loader = iter(torch.utils.data.DataLoader(batches, batch_size=None, sampler=range(1 << 30), num_workers=1, prefetch_factor=6))
    net = prune(teacher, list(a.inner), (prepare(next(loader)[0], "cpu") for _ in range(a.statistics)))
    net, teacher = (n.to(memory_format=torch.channels_last) for n in (net, teacher))
    with torch.no_grad():
        x = prepare(next(loader)[0], "cpu")
        before = 1 - (net(x) * teacher(x)).sum(1).mean().item()
    print(f"{macs(teacher, state['size']) / 1e6:.0f} -> {macs(net, state['size']) / 1e6:.0f} MMAC, "
          f"{sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters, {before:.4f} away (1 - cosine)", flush=True)

    optimizer = torch.optim.AdamW(parameter_groups(net, 0.0), lr=a.lr, betas=(0.9, 0.98))
    start = saved = time.monotonic()
    step, done, recent = 0, 0.0, []
    while done < 1 and a.minutes > 0:
        pixels, _ = next(loader)
        for group in optimizer.param_groups:
            group["lr"] = a.lr * schedule(step, done, 50)
        x = prepare(pixels, "cpu")
        with autocast("cpu"):
            with torch.no_grad():
                wanted = teacher(x).float()
            vectors = net(x).float()
        away = 1 - (vectors * wanted).sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        away.backward()
        optimizer.step()
        step += 1
        now = time.monotonic()
        done = (now - start) / 60 / a.minutes
        recent.append(away.item())
        if step % 50 == 1 or done >= 1:
            print(json.dumps({"step": step, "minutes": round((now - start) / 60, 2), "away": round(float(np.mean(recent)), 5)}), flush=True)
            recent = []
        if now - saved > 180:
            save(a.out, net=net.state_dict(), config=net.config, step=state["step"] + step, size=state["size"], args=vars(a))
            saved = now
    save(a.out, net=net.state_dict(), config=net.config, step=state["step"] + step, size=state["size"], args=vars(a))


if __name__ == "__main__":
    main()
