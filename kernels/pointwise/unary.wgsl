// unary.wgsl: output[i] = f(input[i]), f a function of pointwise.wgsl. Joined behind common.wgsl and pointwise.wgsl.
//
// Bindings    0 input [count] read   1 output [count] write   2 uniforms
// Launch      workgroup 64; one vec4 an invocation; ⌈count / 256⌉ workgroups, folded at 65,535
// Cost        8 B moved an element, a few flop: bound by memory bandwidth
// Edges       buffers are padded to whole vec4s, so the last quad may compute up to three values that nobody reads
// Reference   lib/ops/pointwise/unary.ts, rows in math.ts and activations.ts
// Variants    the block `function` names f

struct Uniforms {
  quads: u32,
  parameters: vec2f,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

fn apply(x: f32, p: vec2f) -> f32 {
// begin function
  return relu(x, p);
// end function
}

@compute @workgroup_size(64)
fn unary(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (quad >= uniforms.quads) {
    return;
  }
  let x = input[quad];
  let p = uniforms.parameters;
  output[quad] = vec4f(apply(x.x, p), apply(x.y, p), apply(x.z, p), apply(x.w, p));
}
