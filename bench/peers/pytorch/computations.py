"""What is timed by itself: a product of matrices, a convolution or one of its gradients."""

import torch
from torch.nn import functional

from uniform_numbers import UniformNumbers


def uniform(shape, seed):
    count = int(torch.tensor(shape).prod())
    return (2 * UniformNumbers(seed).draw(count) - 1).float().reshape(shape)


class Product:
    def __init__(self, size):
        random = UniformNumbers(size)
        self.a, self.b = [(2 * random.draw(size * size) - 1).float().reshape(size, size) for _ in range(2)]

    def compute(self):
        return torch.matmul(self.a, self.b)

    def as_told(self, result):
        return result


class Convolution:
    """Pictures are [N, channels, height, width] here, weights [out, in / groups, height, width]."""

    def __init__(self, told, which):
        top, bottom, left, right = told["padding"]
        self.stride, self.padding, self.which = told["stride"], [top, left], which
        self.is_depthwise = told["isDepthwise"]
        picture = uniform(told["picture"], 1).permute(0, 3, 1, 2)
        self.cut = [picture.shape[2], picture.shape[3]]
        self.offset = [0, 0]
        if (top, left) != (bottom, right):  # it pads alike on both sides only: the picture is padded beforehand
            picture = functional.pad(picture, [left, right, top, bottom])
            self.padding, self.offset = [0, 0], [top, left]
        self.picture = picture.contiguous()
        weight = uniform(told["weight"], 2)
        if self.is_depthwise:
            weight = weight.permute(2, 0, 1).unsqueeze(1)
        else:
            weight = weight.permute(0, 3, 1, 2)
        self.weight = weight.contiguous()
        self.groups = self.weight.shape[0] if self.is_depthwise else 1
        self.output = uniform(told["output"], 3).permute(0, 3, 1, 2).contiguous()

    def compute(self):
        if self.which == "forward":
            return functional.conv2d(
                self.picture, self.weight, stride=self.stride, padding=self.padding, groups=self.groups
            )
        mask = [self.which == "inputGradient", self.which == "weightGradient", False]
        gradients = torch.ops.aten.convolution_backward(
            self.output,
            self.picture,
            self.weight,
            None,
            self.stride,
            self.padding,
            [1, 1],
            False,
            [0, 0],
            self.groups,
            mask,
        )
        return gradients[0] if mask[0] else gradients[1]

    def as_told(self, result):
        if self.which == "weightGradient" and self.is_depthwise:
            return result[:, 0].permute(1, 2, 0)
        if self.which == "inputGradient":
            (top, left), (height, width) = self.offset, self.cut
            result = result[:, :, top : top + height, left : left + width]
        return result.permute(0, 2, 3, 1)


def computation(told):
    if told["compute"] == "product":
        return Product(told["size"])
    return Convolution(told["convolution"], told["pass"])
