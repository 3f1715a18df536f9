// meter.wgsl: adds a value to a running mean that stays on the device, in place. Joined behind common.wgsl.
//
// Computes    state = (Σ weight · value, Σ weight, updates, which of them, counted from 1, was the first that is not
//             finite, or 0)
// Bindings    0 state [4] read and write   1 value [1] read   2 uniforms
// Launch      one workgroup of one invocation
// Reference   lib/ops/meter.ts

struct Uniforms {
  weight: f32,
}

@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<storage, read> value: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(1)
fn meter() {
  if (state[3] == 0.0 && !isFinite(value[0])) {
    state[3] = state[2] + 1.0;
  }
  state[0] += uniforms.weight * value[0];
  state[1] += uniforms.weight;
  state[2] += 1.0;
}
