"""PyTorch as a peer of bench/peers: reads requests from its standard input, a line of JSON each, and answers likewise.

    python3 pytorch.py THREADS

The requests are those of protocol.ts. The workload is made by the generator of bench/step/workload.ts, so that all
libraries train on the same numbers, and is told its sizes in the first line.
"""

import json
import sys
import time

import torch
from torch import nn

torch.set_num_threads(int(sys.argv[1]))


class UniformNumbers:
    """Uniform float64 numbers in [0, 1) by mulberry32, many at a time: its state is a counter."""

    def __init__(self, seed):
        self.state = seed

    def draw(self, count):
        state = (self.state + 0x6D2B79F5 * torch.arange(1, count + 1, dtype=torch.int64)) & 0xFFFFFFFF
        self.state = int(state[-1])
        word = self.multiply(state ^ (state >> 15), state | 1)
        word = word ^ ((word + self.multiply(word ^ (word >> 7), word | 61)) & 0xFFFFFFFF)
        return (word ^ (word >> 14)).double() / 2**32

    @staticmethod
    def multiply(a, b):
        """The low 32 bits of a product of 32-bit words, by halves: 64 bits would overflow."""
        return (a * (b & 0xFFFF) + ((a * (b >> 16) & 0xFFFF) << 16)) & 0xFFFFFFFF


class PyTorch:
    def __init__(self, sizes):
        self.sizes = sizes
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

        self.parameters = [
            parameter([hidden, inputs], inputs),
            parameter([hidden], inputs),
            parameter([classes, hidden], hidden),
            parameter([classes], hidden),
        ]
        self.size = 0

    def describe(self, _):
        return f"PyTorch {torch.__version__}, threads: {torch.get_num_threads()}"

    def prepare(self, request):
        inputs, hidden, classes = self.sizes["inputs"], self.sizes["hidden"], self.sizes["classes"]
        self.model = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(request["dropout"]), nn.Linear(hidden, classes)
        )
        with torch.no_grad():
            for parameter, values in zip(self.model.parameters(), self.parameters):
                parameter.copy_(values)
        rate, momentum = self.sizes["learningRate"], self.sizes["momentum"]
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=momentum)
        self.loss = nn.CrossEntropyLoss()
        self.done = 0

    def step(self):
        pictures, labels = self.batches[self.done % len(self.batches)]
        self.done += 1
        self.optimizer.zero_grad()
        loss = self.loss(self.model(pictures), labels)
        loss.backward()
        self.optimizer.step()
        return loss

    def losses(self, request):
        return [self.step().item() for _ in range(request["steps"])]

    def train(self, request):
        start = time.perf_counter()
        for i in range(1, request["steps"] + 1):
            loss = self.step()
            if i % request["readEvery"] == 0:
                loss.item()
        return (time.perf_counter() - start) * 1000

    def factors(self, size):
        if size != self.size:
            random = UniformNumbers(size)
            self.a, self.b = [(2 * random.draw(size * size) - 1).float().reshape(size, size) for _ in range(2)]
            self.size = size
        return self.a, self.b

    def multiply(self, request):
        a, b = self.factors(request["size"])
        start = time.perf_counter()
        for _ in range(request["times"]):
            torch.matmul(a, b)
        return (time.perf_counter() - start) * 1000

    def product(self, request):
        a, b = self.factors(request["size"])
        return torch.matmul(a, b)[request["row"], request["column"]].item()


def main():
    library = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if library is None:
                library = PyTorch(request)
                answer = None
            else:
                answer = getattr(library, request["ask"])(request)
            reply = {"answer": answer}
        except Exception as error:  # the parent says what went wrong
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


main()
