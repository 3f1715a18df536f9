// batch_rows.wgsl: the row numbers of a batch of a data set, in an order made from seed and epoch. Joined behind common.wgsl,
// philox.wgsl and permutation.wgsl.
//
// Computes    rows[i] = order(position + taken + i), counted on into the epochs behind this one
// Bindings    0 state [4] (seed low, seed high, epoch, position; u32) read   1 rows [size] (i32) write   2 uniforms
// Launch      workgroup 64; one row an invocation; ⌈size / 64⌉ workgroups, folded at 65,535
// Reference   lib/ops/state/batch-rows.ts

struct Uniforms {
  size: u32,
  count: u32,
  taken: u32,
}

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> rows: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn batchRows(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i < uniforms.size) {
    rows[i] = rowAt(state[3] + uniforms.taken + i, uniforms.count, vec2u(state[0], state[1]), state[2]);
  }
}
