"""The networks of the comparison, written down once: as ONNX files and as PyTorch modules with the same random weights."""
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

# conv: filters, kernel, stride, padding; pool: kernel, stride, ceil; fire: squeeze, expand; fc: outputs
CLASSIFIER = [("flatten",), ("fc", "6", 4096), ("relu", "fc6"), ("fc", "7", 4096), ("relu", "fc7"), ("fc", "8", 1000)]


def conv(number, *options):
    return [("conv", number, *options), ("relu", number)]


def normalized(number, *options):
    return [("conv", number, *options), ("bn",), ("relu", number)]


def vgg_block(number, filters, count):
    return sum((conv(f"{number}_{k + 1}", filters, 3, 1, 1) for k in range(count)), []) + [("pool", 2, 2, 0)]


MODELS = {
    "alexnet": ((3, 224, 224), [
        *conv("1", 64, 11, 4, 2), ("pool", 3, 2, 0), *conv("2", 192, 5, 1, 2), ("pool", 3, 2, 0),
        *conv("3", 384, 3, 1, 1), *conv("4", 256, 3, 1, 1), *conv("5", 256, 3, 1, 1), ("pool", 3, 2, 0), *CLASSIFIER]),
    "zfnet": ((3, 224, 224), [
        *conv("1", 96, 7, 2, 1), ("pool", 3, 2, 1), ("lrn",), *conv("2", 256, 5, 2, 0), ("pool", 3, 2, 1), ("lrn",),
        *conv("3", 384, 3, 1, 1), *conv("4", 384, 3, 1, 1), *conv("5", 256, 3, 1, 1), ("pool", 3, 2, 1), *CLASSIFIER]),
    "vgg16": ((3, 224, 224), [
        *vgg_block(1, 64, 2), *vgg_block(2, 128, 2), *vgg_block(3, 256, 3), *vgg_block(4, 512, 3), *vgg_block(5, 512, 3),
        *CLASSIFIER]),
    "squeezenet": ((3, 224, 224), [
        *conv("1", 64, 3, 2, 0), ("pool", 3, 2, 1), ("fire", "2", 16, 64), ("fire", "3", 16, 64), ("pool", 3, 2, 1),
        ("fire", "4", 32, 128), ("fire", "5", 32, 128), ("pool", 3, 2, 1), ("fire", "6", 48, 192), ("fire", "7", 48, 192),
        ("fire", "8", 64, 256), ("fire", "9", 64, 256), *conv("10", 1000, 1, 1, 0), ("mean",), ("flatten",)]),
    # What is trained: AlexNet for CIFAR's 32 x 32, and the ZFNet that ships, at Fashion-MNIST's 28 x 28.
    "small_alexnet": ((3, 32, 32), [
        *conv("1", 64, 5, 1, 2), ("pool", 3, 2, 0), *conv("2", 192, 5, 1, 2), ("pool", 3, 2, 0), *conv("3", 384, 3, 1, 1),
        *conv("4", 256, 3, 1, 1), *conv("5", 256, 3, 1, 1), ("pool", 3, 2, 0), ("flatten",), ("dropout",), ("fc", "6", 512),
        ("relu", "fc6"), ("fc", "8", 10)]),
    "small_zfnet": ((1, 28, 28), [
        *normalized("1", 32, 5, 1, 2), ("pool", 3, 2, 1), *normalized("2", 64, 3, 1, 1), ("pool", 3, 2, 1),
        *normalized("3", 96, 3, 1, 1), *normalized("4", 96, 3, 1, 1), *normalized("5", 64, 3, 1, 1), ("pool", 3, 2, 1),
        ("flatten",), ("fc", "6", 128), ("relu", "fc6"), ("dropout",), ("fc", "7", 10)]),
}


class Fire(torch.nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze = torch.nn.Conv2d(inputs, squeeze, 1)
        self.left = torch.nn.Conv2d(squeeze, expand, 1)
        self.right = torch.nn.Conv2d(squeeze, expand, 3, padding=1)
        self.relus = torch.nn.ModuleList(torch.nn.ReLU() for _ in range(3))

    def forward(self, x):
        x = self.relus[0](self.squeeze(x))
        return torch.cat([self.relus[1](self.left(x)), self.relus[2](self.right(x))], 1)


class Writer:
    """Collects ONNX nodes and, beside them, PyTorch layers."""

    def __init__(self, name, dropout):
        self.name, self.dropout = name, dropout
        self.random = np.random.default_rng(1)
        self.nodes, self.tensors, self.modules, self.names = [], [], [], []
        self.value = "input"

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"node_{output}", **attributes))
        self.value = output

    def weights(self, module, name):
        """He's random weights into both."""
        with torch.no_grad():
            fan_in = module.weight[0].numel()
            drawn = self.random.standard_normal(tuple(module.weight.shape)) * (2 / fan_in) ** 0.5
            module.weight.copy_(torch.from_numpy(drawn.astype(np.float32)))
            module.bias.copy_(torch.from_numpy(0.1 * self.random.standard_normal(module.bias.shape).astype(np.float32)))
        for part in ("weight", "bias"):
            self.tensors.append(numpy_helper.from_array(getattr(module, part).detach().numpy().copy(), f"{name}.{part}"))

    def convolution(self, module, name, inputs):
        self.weights(module, name)
        self.node("Conv", [inputs, f"{name}.weight", f"{name}.bias"], name, strides=list(module.stride),
                  pads=list(module.padding) * 2, kernel_shape=list(module.kernel_size))

    def add(self, layer, shape):
        """`shape`: C x H x W of what the layer reads, for layers with weights."""
        kind, *options = layer
        index = len(self.modules)
        n = torch.nn
        if kind == "conv":
            number, filters, kernel, stride, padding = options
            module = n.Conv2d(shape[0], filters, kernel, stride, padding)
            self.convolution(module, f"conv{number}", self.value)
        elif kind == "relu":
            number = options[0]
            module = n.ReLU()
            self.node("Relu", [self.value], f"relu{number}")
        elif kind == "pool":
            kernel, stride, ceil = options
            module = n.MaxPool2d(kernel, stride, ceil_mode=bool(ceil))
            self.node("MaxPool", [self.value], f"pool{index}", kernel_shape=[kernel] * 2, strides=[stride] * 2, ceil_mode=ceil)
        elif kind == "lrn":
            module = n.LocalResponseNorm(5, 5e-4, 0.75, 2)
            self.node("LRN", [self.value], f"norm{index}", size=5, alpha=5e-4, beta=0.75, bias=2.0)
        elif kind == "bn":
            module = n.BatchNorm2d(shape[0])
            parts = {"weight": module.weight, "bias": module.bias, "mean": module.running_mean, "var": module.running_var}
            for part, values in parts.items():
                self.tensors.append(numpy_helper.from_array(values.detach().numpy().copy(), f"bn{index}.{part}"))
            self.node("BatchNormalization", [self.value, *(f"bn{index}.{part}" for part in parts)], f"bn{index}", epsilon=module.eps)
        elif kind == "fire":
            number, squeeze, expand = options
            module = Fire(shape[0], squeeze, expand)
            self.convolution(module.squeeze, f"squeeze{number}", self.value)
            self.node("Relu", [self.value], f"squeeze_relu{number}")
            below = self.value
            for side in ("left", "right"):
                self.convolution(getattr(module, side), f"{side}{number}", below)
                self.node("Relu", [self.value], f"{side}_relu{number}")
            self.node("Concat", [f"left_relu{number}", f"right_relu{number}"], f"fire{number}", axis=1)
        elif kind == "flatten":
            module = n.Flatten()
            self.node("Flatten", [self.value], f"flatten{index}")
        elif kind == "mean":
            module = n.AdaptiveAvgPool2d(1)
            self.node("GlobalAveragePool", [self.value], f"mean{index}")
        elif kind == "fc":
            number, outputs = options
            module = n.Linear(int(np.prod(shape)), outputs)
            self.weights(module, f"fc{number}")
            self.node("Gemm", [self.value, f"fc{number}.weight", f"fc{number}.bias"], f"fc{number}", transB=1)
        elif kind == "dropout":
            if not self.dropout:
                return
            module = n.Dropout(0.5)
            self.tensors.append(numpy_helper.from_array(np.array(0.5, np.float32), f"ratio{index}"))
            self.node("Dropout", [self.value, f"ratio{index}"], f"drop{index}")
        self.modules.append(module)
        self.names.append(self.value)


def build(name, path, dropout=False):
    """Writes the ONNX file; returns the PyTorch module (a Sequential) and the value names of its layers."""
    shape, layers = MODELS[name]
    writer = Writer(name, dropout)
    probe = torch.zeros(1, *shape)
    for layer in layers:
        before = len(writer.modules)
        writer.add(layer, tuple(probe.shape[1:]))
        if len(writer.modules) > before:
            with torch.no_grad():
                probe = writer.modules[-1].eval()(probe)
    graph = helper.make_graph(
        writer.nodes, name, [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info(writer.value, TensorProto.FLOAT, ["N", *probe.shape[1:]])], writer.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return torch.nn.Sequential(*writer.modules), writer.names
