"""MyNet and its training step."""

import torch
from torch import nn

from uniform_numbers import UniformNumbers


class MyNetTraining:
    def __init__(self, sizes, dropout):
        batch, batches, inputs = sizes["batch"], sizes["batches"], sizes["inputs"]
        hidden, classes = sizes["hidden"], sizes["classes"]
        random = UniformNumbers(1)
        rows = batch * batches
        labels = torch.arange(rows) % classes
        marks = (torch.arange(inputs) % classes)[None, :] == labels[:, None]
        pictures = 0.9 * random.draw(rows * inputs).reshape(rows, inputs) + 0.1 * marks.double()
        self.batches = list(zip(pictures.float().split(batch), labels.split(batch)))

        def parameter(shape, fan_in):
            count = int(torch.tensor(shape).prod())
            return ((2 * random.draw(count) - 1) / fan_in**0.5).float().reshape(shape)

        initial = [
            parameter([hidden, inputs], inputs),
            parameter([hidden], inputs),
            parameter([classes, hidden], hidden),
            parameter([classes], hidden),
        ]
        self.model = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes)
        )
        with torch.no_grad():
            for parameter, values in zip(self.model.parameters(), initial):
                parameter.copy_(values)
        rate, momentum = sizes["learningRate"], sizes["momentum"]
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=momentum)
