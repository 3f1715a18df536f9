// sgd.wgsl: one step of stochastic gradient descent, in place. Joined behind common.wgsl.
//
// Computes    g = gradient + weightDecay · p
//             v = step = 0 ? g : momentum · v + (1 - dampening) · g
//             p -= learningRate · (nesterov ? g + momentum · v : v);  without momentum: p -= learningRate · g
// Bindings    plain:    0 parameter [count] read and write   1 gradient read   2 state read   3 uniforms
//             momentum: 0 parameter   1 velocity [count] read and write   2 gradient read   3 state read   4 uniforms
//             state is the optimizer's (u32): its step, then the bits of RATES learning rates, of which the step s uses
//             number s mod RATES
// Launch      workgroup 64; one vec4 an invocation; ⌈count / 256⌉ workgroups, folded at 65,535
// Cost        12 B moved an element (20 with momentum), 2 to 6 flop: bound by bandwidth
// Source      Sutskever, Martens, Dahl, Hinton 2013, in the form of torch.optim.SGD
// Reference   lib/ops/update/sgd.ts

override RATES: u32 = 1u;

struct Uniforms {
  quads: u32,
  weightDecay: f32,
  momentum: f32,
  dampening: f32,
  nesterov: u32,
}

@group(0) @binding(0) var<storage, read_write> parameter: array<vec4f>;

@group(0) @binding(1) var<storage, read> plainGradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> plainState: array<u32>;
@group(0) @binding(3) var<uniform> plainUniforms: Uniforms;

@group(0) @binding(1) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn plain(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (quad >= plainUniforms.quads) {
    return;
  }
  let p = parameter[quad];
  let learningRate = bitcast<f32>(plainState[1u + plainState[0] % RATES]);
  parameter[quad] = p - learningRate * (plainGradient[quad] + plainUniforms.weightDecay * p);
}

@compute @workgroup_size(64)
fn momentum(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (quad >= uniforms.quads) {
    return;
  }
  let p = parameter[quad];
  let g = gradient[quad] + uniforms.weightDecay * p;
  let step = state[0];
  let learningRate = bitcast<f32>(state[1u + step % RATES]);
  let v = select(uniforms.momentum * velocity[quad] + (1.0 - uniforms.dampening) * g, g, step == 0u);
  velocity[quad] = v;
  parameter[quad] = p - learningRate * select(v, g + uniforms.momentum * v, uniforms.nesterov != 0u);
}
