// reduce.wgsl: output[i] = scale · (f over the reduced axes of input), f a sum, maximum or minimum.
// Joined behind common.wgsl.
//
// Bindings    0 input read   1 output [kept] write   2 uniforms
//             The kept axes and the reduced axes are two walks through the input.
// Launch      perInvocation: workgroup 64, one output an invocation, for many outputs or short reductions
//             perWorkgroup: one output a workgroup of 256, each lane takes every 256th element, then a tree of
//             8 steps through workgroup memory, for few outputs and long reductions
// Memory      perWorkgroup: 256 · 4 B = 1 KiB
// Cost        4 B read an element, one flop: bound by memory bandwidth
// Edges       an empty reduction gives f's neutral element; NaN wins in maximum and minimum
// Order       fixed by the sizes alone, so results are the same from run to run
// Reference   lib/ops/reduce/reduce.ts
// Variants    the block `function` is f with its neutral element

struct Uniforms {
  kept: u32,
  reduced: u32,
  keptRank: u32,
  reducedRank: u32,
  scale: f32,
  keptSizes: array<vec4u, 2>,
  keptStrides: array<vec4u, 2>,
  reducedSizes: array<vec4u, 2>,
  reducedStrides: array<vec4u, 2>,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

// begin function
fn combine(a: f32, b: f32) -> f32 { return a + b; }
fn neutral(any: f32) -> f32 { return 0.0; }
// end function

fn element(start: u32, i: u32) -> f32 {
  return input[start + walkOffset(i, uniforms.reducedRank, uniforms.reducedSizes, uniforms.reducedStrides)];
}

@compute @workgroup_size(64)
fn perInvocation(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.kept) {
    return;
  }
  let start = walkOffset(i, uniforms.keptRank, uniforms.keptSizes, uniforms.keptStrides);
  var result = neutral(uniforms.scale);
  for (var r = 0u; r < uniforms.reduced; r++) {
    result = combine(result, element(start, r));
  }
  output[i] = result * uniforms.scale;
}

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn perWorkgroup(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups);
  if (i >= uniforms.kept) {
    return; // the same for the whole workgroup: the barriers below stay in uniform control flow
  }
  let start = walkOffset(i, uniforms.keptRank, uniforms.keptSizes, uniforms.keptStrides);
  var result = neutral(uniforms.scale);
  for (var r = lane; r < uniforms.reduced; r += 256u) {
    result = combine(result, element(start, r));
  }
  partial[lane] = result;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] = combine(partial[lane], partial[lane + half]);
    }
  }
  if (lane == 0u) {
    output[i] = partial[0] * uniforms.scale;
  }
}
