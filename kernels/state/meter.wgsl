// meter.wgsl: adds a value to a running mean that stays on the device, in place. Joined behind common.wgsl and metered.wgsl.
//
// Bindings    0 state [9] read and write   1 value [1] read   2 uniforms
// Launch      one workgroup of one invocation
// Reference   lib/ops/state/meter.ts

struct Uniforms {
  weight: f32,
}

@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<storage, read> value: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(1)
fn meter() {
  let before = Meter(
    vec3f(state[0], state[1], state[2]),
    vec3f(state[3], state[4], state[5]),
    vec2f(state[6], state[7]),
    state[8],
  );
  let after = metered(before, value[0], uniforms.weight);
  for (var i = 0u; i < 3u; i++) {
    state[i] = after.sums[i];
    state[3u + i] = after.rests[i];
  }
  state[6] = after.first.x;
  state[7] = after.first.y;
}
