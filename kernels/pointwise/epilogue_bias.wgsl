// epilogue_bias.wgsl: a stage behind a matrix product: value + bias[column]. Joined behind matmul_common.wgsl.
//
// Bindings    4 bias [N] read
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/pointwise/arithmetic.ts (add)

@group(0) @binding(4) var<storage, read> bias: array<Element>;

fn addBias(value: Element, column: u32) -> Element {
  return value + bias[column / WIDTH];
}
