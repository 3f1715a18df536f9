// learning_rate.wgsl: the learning rate of an optimizer's state: its step, then the bits of n rates, of which the step s uses
// number s mod n.
//
// Bindings    0 state [1 + n] (u32) read   1 rate [] write   2 uniforms
// Launch      one workgroup of one invocation
// Reference   lib/ops/update/optimizer-state.ts

struct Uniforms {
  rates: u32,
}

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> rate: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(1)
fn learningRate() {
  rate[0] = bitcast<f32>(state[1u + state[0] % uniforms.rates]);
}
