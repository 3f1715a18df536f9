"""A convolutional net by its description (bench/nets/description.ts), and its training step."""

import torch
from torch import nn

from uniform_numbers import UniformNumbers

CHANNELS = 3


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def modules(layers):
    return nn.Sequential(*[module(layer) for layer in layers])


def module(layer):
    kind = layer["layer"]
    if kind == "conv":
        kernel = layer["kernel"]
        return nn.Conv2d(
            layer["inChannels"],
            layer["outChannels"],
            kernel,
            stride=layer["stride"],
            padding=(kernel - 1) // 2,
            groups=layer["groups"],
            bias=False,
        )
    if kind == "batchNorm":
        norm = nn.BatchNorm2d(layer["channels"])
        nn.init.constant_(norm.weight, layer["initial"])
        return norm
    if kind == "relu":
        return nn.ReLU(inplace=True)
    if kind == "relu6":
        return nn.ReLU6(inplace=True)
    if kind == "maxPool":
        return nn.MaxPool2d(layer["size"], stride=layer["stride"], padding=(layer["size"] - 1) // 2)
    if kind == "globalAveragePool":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if kind == "dense":
        return nn.Linear(layer["inputs"], layer["outputs"])
    if kind == "residual":
        return Residual(modules(layer["body"]), modules(layer["shortcut"]))
    raise ValueError(f"unknown layer {kind}")


class NetTraining:
    def __init__(self, net, sizes):
        random = UniformNumbers(1)
        batch, batches, classes = net["batch"], sizes["batches"], sizes["classes"]
        size = net["pictureSize"]
        rows = batch * batches
        numbers = size * size * CHANNELS
        labels = torch.arange(rows) % classes
        marks = (torch.arange(numbers) % classes)[None, :] == labels[:, None]
        pictures = 0.9 * random.draw(rows * numbers).reshape(rows, numbers) + 0.1 * marks.double()
        pictures = pictures.float().reshape(rows, size, size, CHANNELS).permute(0, 3, 1, 2).contiguous()
        self.batches = list(zip(pictures.split(batch), labels.split(batch)))

        self.model = modules(net["layers"])
        with torch.no_grad():
            for part in self.model.modules():
                if not isinstance(part, (nn.Conv2d, nn.Linear)):
                    continue
                weight = part.weight
                bound = (6 / weight[0].numel()) ** 0.5
                weight.copy_(((2 * random.draw(weight.numel()) - 1) * bound).float().reshape(weight.shape))
                if part.bias is not None:
                    part.bias.zero_()
        rate, momentum = sizes["learningRate"], sizes["momentum"]
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=momentum)
