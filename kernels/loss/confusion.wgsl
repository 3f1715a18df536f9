// confusion.wgsl: adds the rows of a batch to a confusion matrix, in place. Joined behind common.wgsl and largest_logit.wgsl.
//
// Computes    totals[target[n], class of the largest logit of row n] += 1 for each row n; column C is that of rows with NaN
// Bindings    0 totals [C, C + 1] (u32) read and write   1 logits [N, C] read   2 target [N] (i32) read   3 uniforms
// Launch      workgroup 64; one row an invocation; ⌈N / 64⌉ workgroups, folded at 65,535
// Cost        4 B read a logit, uncoalesced, and one atomic addition a row, which waits for those on the same number: whole
//             numbers, so that their order does not matter
// Edges       a row whose class does not exist is not counted
// Reference   lib/ops/loss/confusion.ts

struct Uniforms {
  N: u32,
  C: u32,
}

@group(0) @binding(0) var<storage, read_write> totals: array<atomic<u32>>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn confusion(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (row >= uniforms.N) {
    return;
  }
  let label = labels[row];
  if (label < uniforms.C) {
    atomicAdd(&totals[label * (uniforms.C + 1u) + largestAt(row)], 1u);
  }
}
