// meter.wgsl: adds a value to a running mean that stays on the device, in place. Joined behind common.wgsl and metered.wgsl.
//
// Bindings    0 state [4] read and write   1 value [1] read   2 uniforms
// Launch      one workgroup of one invocation
// Reference   lib/ops/state/meter.ts

struct Uniforms {
  weight: f32,
}

@group(0) @binding(0) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(1) var<storage, read> value: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(1)
fn meter() {
  state[0] = metered(state[0], value[0], uniforms.weight);
}
