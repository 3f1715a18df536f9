// argmax.wgsl: position of the largest element along an axis; the first one where there are several, the first NaN
// where there is any. Joined behind common.wgsl; the block `element` is the type.
//
// Bindings    0 input [outer, C, inner] read   1 output [outer, inner] (i32) write   2 uniforms
// Launch      workgroup 64; one row an invocation; ⌈outer · inner / 64⌉ workgroups, folded at 65,535
// Cost        4 B read an element: bound by bandwidth; a row is read by one invocation, so many rows are wanted
// Reference   lib/ops/reduce/argmax.ts

struct Uniforms {
  rows: u32,
  C: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<Element>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

// begin element
alias Element = f32;

fn takesPlaceOf(value: Element, largest: Element) -> bool {
  return !isNan(largest) && (isNan(value) || value > largest);
}
// end element

@compute @workgroup_size(64)
fn argmax(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (row >= uniforms.rows) {
    return;
  }
  let start = row / uniforms.inner * uniforms.C * uniforms.inner + row % uniforms.inner;
  var best = 0u;
  var largest = input[start];
  for (var i = 1u; i < uniforms.C; i++) {
    let value = input[start + i * uniforms.inner];
    if (takesPlaceOf(value, largest)) {
      largest = value;
      best = i;
    }
  }
  output[row] = i32(best);
}
