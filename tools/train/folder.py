"""Reads a model folder that export.py wrote back into a network, for those who have no checkpoint.

The graph has batch normalisation folded into its convolutions, and weights of int8 and float16: so has the network then. What the
graph rounds between its layers, the network does not.
Only the tensors of an ONNX file (onnx.proto3) are read: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.dims = 1,
data_type = 2, name = 8, raw_data = 9.
"""

import json
import os

import numpy as np
import torch

from network import CopyNet

TYPES = {1: "<f4", 3: "i1", 7: "<i8", 10: "<f2"}  # TensorProto.DataType


def fields(message):
    """The fields of a protobuf message: (number, int or bytes)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
        else:
            length = {1: 8, 2: None, 5: 4}[kind]
            length = varint() if length is None else length
            yield key >> 3, message[at:at + length]
            at += length


def tensors(path):
    """The weights of an ONNX file by name."""
    with open(path, "rb") as f:
        model = memoryview(f.read())
    found = {}
    for number, tensor in fields(dict(fields(model))[7]):
        if number == 5:
            parts = list(fields(tensor))
            one = dict(parts)
            shape = [value for n, value in parts if n == 1]
            values = np.frombuffer(one[9], TYPES[one[2]]).reshape(shape)
            found[bytes(one[8]).decode()] = torch.from_numpy(values.astype(np.float32))
    return found


def load(path):
    """The network of a model folder, in evaluation mode, and what a checkpoint says beside it."""
    with open(os.path.join(path, "config.json")) as f:
        config = json.load(f)
    net = CopyNet(config["widths"], config["blocks"], config["projection_dim"], config["inner"]).eval()
    state = {}
    found = tensors(os.path.join(path, "onnx", "vision_model.onnx"))
    for name, value in found.items():
        layer, _, kind = name.rpartition(".")
        if kind == "weight" and layer + ".scale" in found:
            value = value * found[layer + ".scale"][:, None, None, None]
        bn = "stem.1" if layer == "stem.0" else layer.replace("conv", "bn")
        if kind == "bias" and bn != layer:  # the normalisation's, whose other numbers change nothing
            state[bn + ".bias"] = value
            state[bn + ".weight"], state[bn + ".running_mean"] = torch.ones_like(value), torch.zeros_like(value)
            state[bn + ".running_var"] = torch.ones_like(value) - 1e-5  # and its eps
        else:
            state[name] = value
    missing = [name for name in net.load_state_dict(state, strict=False).missing_keys if not name.endswith("num_batches_tracked")]
    if missing:
        raise SystemExit(f"{path}: the graph has no {', '.join(missing)}; wanted one that export.py wrote")
    return net, {"size": config["image_size"], "step": config["trained_steps"]}
