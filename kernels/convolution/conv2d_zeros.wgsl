// conv2d_zeros.wgsl: a convolution, or one of its gradients, whose sums have no terms, because a tensor that is given is empty:
// all others are products (lib/ops/convolution/conv2d-products.ts). Joined behind common.wgsl.
//
// Computes    result = 0
// Bindings    0 result write   1 uniforms
// Launch      workgroup 64; one element an invocation; folded at 65,535 workgroups
// Cost        4 B written an element
// Reference   lib/ops/convolution/conv2d-taps.ts

@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@group(0) @binding(1) var<uniform> count: u32;

@compute @workgroup_size(64)
fn conv2dZeros(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (index < count) {
    result[index] = 0.0;
  }
}
