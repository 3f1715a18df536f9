// epilogue_tap.wgsl: a stage behind a matrix product that stores the value as it is at this point, for what needs it
// later (the backward pass of an activation). Joined behind matmul_common.wgsl.
//
// Bindings    7 tapped [M, N] write
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul/fused-matmul.ts

@group(0) @binding(7) var<storage, read_write> tapped: array<Element>;

fn tap(value: Element, row: u32, column: u32) -> Element {
  tapped[(row * size.N + column) / WIDTH] = value;
  return value;
}
