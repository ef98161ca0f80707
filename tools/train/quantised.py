"""The copy-detection network in 8-bit integers, as ONNX Runtime computes it from a graph with QuantizeLinear and DequantizeLinear.

Weights are int8 with a scale for each output channel, and of seven bits: CPUs without VNNI add two products in 16 bits, which eight
would overflow. What lies between the layers is uint8 with one scale (Jacob et al. 2018, "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference"). The first convolution and what follows the last stay float32, with
weights of float16: they would gain nothing.
"""

import torch
from torch import nn
from torch.nn import functional as F

from network import Residual

LEVELS = 63  # of a weight, up and down
MIDDLE = 128  # stands for 0 where there may be less


def folded(conv, bn):
    """Weight and bias of a convolution with its batch normalisation."""
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return (conv.weight * scale[:, None, None, None]).detach(), (bn.bias - bn.running_mean * scale).detach()


class HalfConvolution(nn.Module):
    """A convolution with its batch normalisation folded in. The weights are kept as float16, and computed with as float32."""

    def __init__(self, conv, bn):
        super().__init__()
        weight, bias = folded(conv, bn)
        self.register_buffer("weight", weight.half())
        self.register_buffer("bias", bias)
        self.stride, self.padding = conv.stride, conv.padding

    def forward(self, x):
        return F.conv2d(x, self.weight.float(), self.bias, self.stride, self.padding)


class HalfLinear(nn.Module):
    def __init__(self, linear):
        super().__init__()
        self.register_buffer("weight", linear.weight.detach().half())
        self.register_buffer("bias", linear.bias.detach().clone())

    def forward(self, x):
        return F.linear(x, self.weight.float(), self.bias)


class Dequantised(torch.autograd.Function):
    """int8 weights [O, I, H, W] as numbers; in a graph they stay int8."""

    @staticmethod
    def forward(ctx, weight, scale):
        return weight.float() * scale[:, None, None, None]

    @staticmethod
    def symbolic(g, weight, scale):
        return g.op("DequantizeLinear", weight, scale, axis_i=0)


class Convolution(nn.Module):
    """A convolution with its batch normalisation folded in, and weights of int8."""

    def __init__(self, conv, bn):
        super().__init__()
        weight, bias = folded(conv, bn)
        scale = weight.abs().amax(dim=(1, 2, 3)).clamp(min=1e-8) / LEVELS
        self.register_buffer("weight", (weight / scale[:, None, None, None]).round().to(torch.int8))
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)
        self.stride, self.padding = conv.stride, conv.padding

    def forward(self, x):
        return F.conv2d(x, Dequantised.apply(self.weight, self.scale), self.bias, self.stride, self.padding)


class Rounded(nn.Module):
    """Rounds what lies between two layers to uint8; without signed, what is negative becomes 0."""

    def __init__(self, signed=False):
        super().__init__()
        self.zero = MIDDLE if signed else 0
        self.scale = None
        self.seen = []  # until settled

    def forward(self, x):
        if self.scale is None:
            self.seen.append(x.abs().flatten()[:: max(1, x.numel() >> 16)])
            return x
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero, 0, 255)

    def settle(self):
        """Takes the scale with which rounding, and cutting off what is larger than 255 of it, errs least."""
        seen, levels = torch.cat(self.seen), 255 - self.zero
        scales = (seen.max().clamp(min=1e-6) / levels * torch.linspace(0.2, 1, 41)).tolist()
        errors = [((seen / s).round().clamp(max=levels) * s - seen).square().mean().item() for s in scales]
        self.scale, self.seen = scales[errors.index(min(errors))], []


class QuantisedBlock(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.conv1, self.inner = Convolution(block.conv1, block.bn1), Rounded()
        self.conv2, self.change, self.outer = Convolution(block.conv2, block.bn2), Rounded(signed=True), Rounded()

    def forward(self, x):
        y = self.inner(F.relu(self.conv1(x)))
        return self.outer(F.relu(x + self.change(self.conv2(y))))


class QuantisedDown(nn.Module):
    def __init__(self, down):
        super().__init__()
        self.conv, self.outer = Convolution(down.conv, down.bn), Rounded()

    def forward(self, x):
        return self.outer(F.relu(self.conv(x)))


def quantise(net, inputs):
    """A CopyNet in 8-bit integers, for export; its scales are found on batches [N, 3, S, S] of its input. net is left alone."""
    net = net.eval()
    small = type(net)(**net.config).eval()
    small.stem = nn.Sequential(HalfConvolution(net.stem[0], net.stem[1]), nn.ReLU(), Rounded())
    small.stages = nn.Sequential(*(QuantisedBlock(s) if isinstance(s, Residual) else QuantisedDown(s) for s in net.stages))
    small.head = HalfLinear(net.head)
    with torch.no_grad():
        for x in inputs:
            small(x)
    for m in small.modules():
        if isinstance(m, Rounded):
            m.settle()
    return small
