// reduce.wgsl: output[i] = scale · (f over the reduced axes of input), f a sum, maximum or minimum.
// Joined behind common.wgsl.
//
// Bindings    0 input read   1 output [kept] write   2 uniforms
//             The kept axes and the reduced axes are two walks through the input.
// Launch      perInvocation: workgroup 64, one output an invocation, for many outputs or short reductions
//             perWorkgroup: one block of an output a workgroup of 256: each lane takes every 256th element of the block,
//             then a tree of 8 steps through workgroup memory. Where there are several blocks, their results are the
//             elements of a second launch.
// Memory      perWorkgroup: 256 · 4 B = 1 KiB
// Cost        4 B read an element, one flop: bound by memory bandwidth
// Accuracy    blocks of 16,384 and groups of eight, added pairwise: no result passes through more than about 50 roundings,
//             of millions of elements
// Edges       an empty reduction gives f's neutral element; NaN wins in maximum and minimum; sums of integers wrap around
// Order       fixed by the sizes alone, so results are the same from run to run
// Reference   lib/ops/reduce/reduce.ts
// Variants    the block `function` is the type, f and its neutral element

struct Uniforms {
  kept: u32,
  reduced: u32,
  keptRank: u32,
  reducedRank: u32,
  blocks: u32, // of each output
  blockSize: u32,
  scale: f32,
  keptSizes: array<vec4u, 2>,
  keptStrides: array<vec4u, 2>,
  reducedSizes: array<vec4u, 2>,
  reducedStrides: array<vec4u, 2>,
}

@group(0) @binding(0) var<storage, read> input: array<Element>;
@group(0) @binding(1) var<storage, read_write> output: array<Element>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

// begin function
alias Element = f32;

fn combine(a: Element, b: Element) -> Element {
  return a + b;
}

fn neutral(any: f32) -> Element {
  return 0.0;
}

fn scaled(value: Element, scale: f32) -> Element {
  return value * scale;
}
// end function

fn element(start: u32, i: u32) -> Element {
  return input[start + walkOffset(i, uniforms.reducedRank, uniforms.reducedSizes, uniforms.reducedStrides)];
}

// f over the elements first, first + step, … before `end`.
fn reduceSome(start: u32, first: u32, end: u32, step: u32) -> Element {
  var result = neutral(uniforms.scale);
  var r = first;
  for (; r + 7u * step < end; r += 8u * step) {
    let a = combine(element(start, r), element(start, r + step));
    let b = combine(element(start, r + 2u * step), element(start, r + 3u * step));
    let c = combine(element(start, r + 4u * step), element(start, r + 5u * step));
    let d = combine(element(start, r + 6u * step), element(start, r + 7u * step));
    result = combine(result, combine(combine(a, b), combine(c, d)));
  }
  for (; r < end; r += step) {
    result = combine(result, element(start, r));
  }
  return result;
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
  output[i] = scaled(reduceSome(start, 0u, uniforms.reduced, 1u), uniforms.scale);
}

var<workgroup> partial: array<Element, 256>;

@compute @workgroup_size(256)
fn perWorkgroup(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups);
  if (i >= uniforms.kept * uniforms.blocks) {
    return; // the same for the whole workgroup: the barriers below stay in uniform control flow
  }
  let start = walkOffset(i / uniforms.blocks, uniforms.keptRank, uniforms.keptSizes, uniforms.keptStrides);
  let first = i % uniforms.blocks * uniforms.blockSize;
  partial[lane] = reduceSome(start, first + lane, min(first + uniforms.blockSize, uniforms.reduced), 256u);
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] = combine(partial[lane], partial[lane + half]);
    }
  }
  if (lane == 0u) {
    output[i] = scaled(partial[0], uniforms.scale);
  }
}
