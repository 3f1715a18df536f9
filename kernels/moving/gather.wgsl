// gather.wgsl: rows of a table by index, and the gradient. Joined behind common.wgsl and pairwise.wgsl.
//
// Computes    output[i, d] = table[indices[i], d];   gradient: dTable[r, d] = Σ over i with indices[i] = r of dOutput[i, d]
//             a row that does not exist: all bits set (NaN, or -1), no gradient
// Bindings    gather:   0 table [R, D] read   1 indices [I] read   2 output [I, D] write   3 uniforms
//             gradient: 0 dOutput [I, D] read   1 indices [I] read   2 dTable [blocks, R, D] write   3 uniforms
//             addBlocks: 0 parts [blocks, R, D] read   2 dTable [R, D] write   3 uniforms
// Launch      workgroup 64; one element of the output an invocation; folded at 65,535. Where the table is small, the indices
//             are divided into blocks, whose sums a second launch adds up.
// Cost        gather: 8 B moved an element, coalesced along D. gradient: each element looks through all I indices, so
//             that the sum has a fixed order and needs no float atomics: R · D · I reads of an index, cached
// Accuracy    sums are pairwise: a row may be taken millions of times
// Reference   lib/ops/moving/gather.ts

struct Uniforms {
  R: u32,
  D: u32,
  I: u32,
  blocks: u32,
  blockSize: u32,
}

@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
@group(0) @binding(0) var<storage, read> dOutput: array<f32>;
@group(0) @binding(2) var<storage, read_write> dTable: array<f32>;
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

@compute @workgroup_size(64)
fn gatherGradient(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let size = uniforms.R * uniforms.D;
  if (i >= size * uniforms.blocks) {
    return;
  }
  let row = i % size / uniforms.D;
  let first = i / size * uniforms.blockSize;
  for (var at = first; at < min(first + uniforms.blockSize, uniforms.I); at++) {
    if (indices[at] == row) {
      addPairwise(dOutput[at * uniforms.D + i % uniforms.D]);
    }
  }
  dTable[i] = pairwiseTotal();
}

@compute @workgroup_size(64)
fn addBlocks(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let size = uniforms.R * uniforms.D;
  if (i >= size) {
    return;
  }
  for (var block = 0u; block < uniforms.blocks; block++) {
    addPairwise(dOutput[block * size + i]);
  }
  dTable[i] = pairwiseTotal();
}
