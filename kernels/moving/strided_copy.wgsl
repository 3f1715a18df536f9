// strided_copy.wgsl: moves a block of one tensor into a block of another. Joined behind common.wgsl and
// walk_two.wgsl.
//
// Computes    output[outputStart + walk(i, outputStrides)] = input[inputStart + walk(i, inputStrides)], i < count
// Bindings    0 input read   1 output write   2 uniforms          (words of 32 bits, whatever they mean)
// Launch      workgroup 64; one element an invocation; ⌈count / 64⌉ workgroups, folded at 65,535
// Cost        8 B moved an element plus a division for each axis but one: bound by bandwidth, less so for transposed reads, which
//             are not coalesced: transpose_tiles.wgsl takes the long ones of those
// Used by     transpose, slice, concat, broadcastTo, copy, assign
// Reference   lib/ops/moving/moving.ts

struct Uniforms {
  count: u32,
  rank: u32,
  inputStart: u32,
  outputStart: u32,
  axes: array<vec4u, 6>, // sizes, strides of the input and of the output
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn stridedCopy(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.count) {
    return;
  }
  let places = walked(i);
  output[uniforms.outputStart + places.y] = input[uniforms.inputStart + places.x];
}
