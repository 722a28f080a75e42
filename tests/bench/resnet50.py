#!/usr/bin/env python3
"""resnet50.py [--size N] [--seed N] OUT.onnx

Write a ResNet-50 (He et al. 2016, with the stride on the 3x3 convolutions, as is usual since) as an
ONNX file for benchmarks: the graph an exporter writes in evaluation mode, convolution, batch
normalisation and activation as nodes of their own, with random weights that keep activations of
order one. The same seed gives the same bytes. Needs numpy and onnx; nothing is downloaded.
"""
import argparse

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STAGES = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]  # width, blocks, stride of the first
EXPANSION = 4


class Writer:
    """Nodes and initializers in the order of the network."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def constant(self, name, array):
        self.weights.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def node(self, op, name, inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, name, x, c_in, c_out, kernel, stride=1, gamma=1):
        """Convolution and batch normalisation; He's weights keep the variance."""
        shape = (c_out, c_in, kernel, kernel)
        deviation = np.sqrt(2 / (c_in * kernel * kernel))
        weight = self.constant(f"{name}.weight", self.random.normal(0, deviation, shape))
        y = self.node("Conv", f"{name}.conv", [x, weight], kernel_shape=[kernel, kernel],
                      strides=[stride, stride], pads=[kernel // 2] * 4)
        parts = [("gamma", gamma, 0.1 * gamma), ("beta", 0, 0.1), ("mean", 0, 0.1), ("var", 1, 0)]
        norm = [self.constant(f"{name}.{part}", self.random.normal(centre, spread, c_out))
                for part, centre, spread in parts]
        return self.node("BatchNormalization", f"{name}.norm", [y] + norm, epsilon=1e-5)

    def block(self, name, x, c_in, width, stride):
        c_out = width * EXPANSION
        y = self.node("Relu", f"{name}.relu1", [self.conv(f"{name}.1", x, c_in, width, 1)])
        y = self.node("Relu", f"{name}.relu2", [self.conv(f"{name}.2", y, width, width, 3, stride)])
        # A small gain, or sixteen sums of two branches would double the variance each.
        y = self.conv(f"{name}.3", y, width, c_out, 1, gamma=0.25)
        if stride != 1 or c_in != c_out:
            x = self.conv(f"{name}.down", x, c_in, c_out, 1, stride)
        return self.node("Relu", f"{name}.relu3", [self.node("Add", f"{name}.add", [y, x])])


def build(size, seed):
    w = Writer(seed)
    x = w.node("Relu", "stem.relu", [w.conv("stem", "image", 3, 64, 7, 2)])
    x = w.node("MaxPool", "stem.pool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for s, (width, blocks, first) in enumerate(STAGES):
        for b in range(blocks):
            x = w.block(f"layer{s + 1}.{b}", x, channels, width, first if b == 0 else 1)
            channels = width * EXPANSION
    x = w.node("GlobalAveragePool", "pool", [x])
    x = w.node("Flatten", "flat", [x], axis=1)
    weight = w.constant("head.weight", w.random.normal(0, 0.01, (1000, channels)))
    bias = w.constant("head.bias", np.zeros(1000))
    w.node("Gemm", "logits", [x, weight, bias], transB=1)
    graph = helper.make_graph(
        w.nodes, "resnet50",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1000])], w.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--seed", type=int, default=50)
    parser.add_argument("out")
    args = parser.parse_args()
    model = build(args.size, args.seed)
    onnx.checker.check_model(model)
    onnx.save(model, args.out)


main()
