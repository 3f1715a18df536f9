"""PyTorch as a peer of bench/peers: reads requests from its standard input, a line of JSON each, and answers likewise.

    python3 peer.py THREADS

The requests are those of protocol.ts. The first line tells the sizes of the workloads.
"""

import json
import sys
import time

import torch
from torch import nn

from computations import computation
from mynet import MyNetTraining
from net import NetTraining

torch.set_num_threads(int(sys.argv[1]))


class PyTorch:
    def __init__(self, sizes):
        self.sizes = sizes
        self.loss = nn.CrossEntropyLoss()
        self.told = None

    def describe(self, _):
        return f"PyTorch {torch.__version__}, threads: {torch.get_num_threads()}"

    def prepare(self, request):
        told = request["training"]
        if "net" in told:
            self.training = NetTraining(told["net"], self.sizes["net"])
        else:
            self.training = MyNetTraining(self.sizes["mynet"], told["dropout"])
        self.done = 0

    def step(self):
        batches, optimizer = self.training.batches, self.training.optimizer
        pictures, labels = batches[self.done % len(batches)]
        self.done += 1
        optimizer.zero_grad()
        loss = self.loss(self.training.model(pictures), labels)
        loss.backward()
        optimizer.step()
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

    def computation(self, told):
        if told != self.told:
            self.told, self.prepared = told, computation(told)
        return self.prepared

    def compute(self, request):
        prepared = self.computation(request["computation"])
        start = time.perf_counter()
        for _ in range(request["times"]):
            prepared.compute()
        return (time.perf_counter() - start) * 1000

    def elements(self, request):
        prepared = self.computation(request["computation"])
        result = prepared.as_told(prepared.compute()).flatten()
        return [result[place].item() for place in request["places"]]


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
