// epilogue_activation.wgsl: stages behind a matrix product: f(value), and value · f'(preactivation) on the way back, for
// a function f of pointwise.wgsl, which is joined in front of it.
//
// Bindings    6 preactivation [M, N] read (on the way back alone)
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/pointwise/unary.ts

override ACTIVATION_A: f32 = 0.0;
override ACTIVATION_B: f32 = 0.0;

@group(0) @binding(6) var<storage, read> preactivation: array<Element>;

fn preactivationAt(row: u32, column: u32) -> Element {
  return preactivation[(row * size.N + column) / WIDTH];
}

fn chain(value: Element, slope: Element) -> Element {
  return select(value * slope, Element(0.0), slope == Element(0.0));
}
