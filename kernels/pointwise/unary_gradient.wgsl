// unary_gradient.wgsl: dInput[i] = dOutput[i] · f'(input[i]). Joined behind common.wgsl and pointwise.wgsl.
//
// Bindings    0 input [count] read   1 dOutput [count] read   2 dInput [count] write   3 uniforms
// Launch      workgroup 64; one vec4 an invocation; ⌈count / 256⌉ workgroups, folded at 65,535
// Cost        12 B moved an element: bound by memory bandwidth
// Edges       a derivative of 0 gives 0 whatever dOutput is (Inf too), as a threshold does
// Reference   lib/ops/pointwise/unary.ts
// Variants    the block `function` names f'

struct Uniforms {
  quads: u32,
  parameters: vec2f,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> dOutput: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dInput: array<vec4f>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

fn derivative(x: f32, p: vec2f) -> f32 {
// begin function
  return reluDerivative(x, p);
// end function
}

fn chain(x: f32, dy: f32, p: vec2f) -> f32 {
  let slope = derivative(x, p);
  return select(dy * slope, 0.0, slope == 0.0);
}

@compute @workgroup_size(64)
fn unaryGradient(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (quad >= uniforms.quads) {
    return;
  }
  let x = input[quad];
  let dy = dOutput[quad];
  let p = uniforms.parameters;
  dInput[quad] = vec4f(chain(x.x, dy.x, p), chain(x.y, dy.y, p), chain(x.z, dy.z, p), chain(x.w, dy.w, p));
}
