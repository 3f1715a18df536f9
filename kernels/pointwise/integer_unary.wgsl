// integer_unary.wgsl: functions of one integer, which wrap around at 32 bits. Joined behind common.wgsl.
//
// Computes    output[i] = f(input[i], low, high)
// Bindings    0 input [count] read   1 output [count] write   2 uniforms
// Launch      workgroup 64; one element an invocation; ⌈count / 64⌉ workgroups, folded at 65,535
// Cost        8 B moved an element: bound by memory bandwidth
// Reference   lib/ops/pointwise/unary.ts, rows in math.ts
// Variants    the block `function` is f with its type

struct Uniforms {
  count: u32,
  low: u32, // parameters: the bits of elements
  high: u32,
}

// begin function
alias Element = i32;

fn f(x: Element, low: Element, high: Element) -> Element {
  return Element(0) - x;
}
// end function

@group(0) @binding(0) var<storage, read> input: array<Element>;
@group(0) @binding(1) var<storage, read_write> output: array<Element>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn integerUnary(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i < uniforms.count) {
    output[i] = f(input[i], bitcast<Element>(uniforms.low), bitcast<Element>(uniforms.high));
  }
}
