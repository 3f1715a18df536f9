// gather.wgsl: rows of a table by index. Joined behind common.wgsl; gather_gradient.wgsl is its gradient.
//
// Computes    output[i, d] = table[indices[i], d]; of a row that does not exist all bits set (NaN, or -1)
// Bindings    0 table [R, D] read   1 indices [I] read   2 output [I, D] write   3 uniforms
// Launch      workgroup 64; one element of the output an invocation; folded at 65,535
// Cost        8 B moved an element, coalesced along D: bound by memory bandwidth
// Reference   lib/ops/moving/gather.ts

struct Uniforms {
  R: u32,
  D: u32,
  I: u32,
}

@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn gather(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.I * uniforms.D) {
    return;
  }
  let row = indices[i / uniforms.D];
  if (row < uniforms.R) {
    output[i] = table[row * uniforms.D + i % uniforms.D];
  } else {
    output[i] = 0xffffffffu;
  }
}
