// matmul_common.wgsl: what all matmul kernels have in common: sizes, batch axes, transposes. Joined behind common.wgsl.
//
// Computes    C = op(A) · op(B) for each matrix of the batch; op transposes where TRANSPOSE_A / TRANSPOSE_B. The batch
//             axes of A and B are walked with strides of their own, 0 where one is repeated.
// Bindings    3 uniforms
// Launch      none of its own; workgroups stand in one row of ⌈M/tile⌉ · ⌈N/tile⌉ · batch, folded at 65,535
// Reference   lib/ops/matmul.ts

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

struct Uniforms {
  M: u32,
  N: u32,
  K: u32,
  batch: u32,
  batchRank: u32,
  batchSizes: array<vec4u, 2>,
  batchStridesA: array<vec4u, 2>,
  batchStridesB: array<vec4u, 2>,
}

@group(0) @binding(3) var<uniform> size: Uniforms;

// What becomes of an element of the product before it is stored: nothing here, or the stages of a fused kernel
// (epilogue_*.wgsl, lib/ops/fused-matmul.ts).
// begin epilogue
fn finish(value: f32, row: u32, column: u32) -> f32 {
  return value;
}
// end epilogue
