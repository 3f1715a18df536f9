"""The generator of bench/step/workload.ts, so that all libraries compute with the same numbers."""

import torch


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
