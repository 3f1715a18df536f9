// integer_binary.wgsl: functions of two integers, which wrap around at 32 bits. Joined behind common.wgsl and walk_two.wgsl.
//
// Computes    output[i] = f(a[..], b[..]), each walked with strides of its own
// Bindings    0 a read   1 b read   2 output [count] write   3 uniforms
// Launch      workgroup 64; one element an invocation; ⌈count / 64⌉ workgroups, folded at 65,535
// Cost        12 B moved an element, and a division an axis after the first: bound by memory bandwidth. Sizes and strides are
//             read where they lie: an array that a function takes by value and indexes goes to local memory on NVIDIA
// Reference   lib/ops/pointwise/binary.ts, rows in arithmetic.ts
// Variants    the block `function` is f with its types

struct Uniforms {
  count: u32,
  rank: u32,
  axes: array<vec4u, 6>, // sizes, strides of a and of b
}

// begin function
alias Element = i32;
alias Result = i32;

fn f(a: Element, b: Element) -> Result {
  return a + b;
}
// end function

@group(0) @binding(0) var<storage, read> operandA: array<Element>;
@group(0) @binding(1) var<storage, read> operandB: array<Element>;
@group(0) @binding(2) var<storage, read_write> output: array<Result>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn integerBinary(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.count) {
    return;
  }
  let places = walked(i);
  output[i] = f(operandA[places.x], operandB[places.y]);
}
