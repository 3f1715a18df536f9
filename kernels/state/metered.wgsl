// metered.wgsl: how a running mean takes in a value. Joined behind common.wgsl.
//
// Computes    (Σ weight · value, Σ weight, updates, which of them, counted from 1, was the first that is not finite, or 0)
// Reference   lib/ops/state/meter.ts

fn metered(state: vec4f, value: f32, weight: f32) -> vec4f {
  let isFirst = state.w == 0.0 && !isFinite(value);
  return vec4f(state.x + weight * value, state.y + weight, state.z + 1.0, select(state.w, state.z + 1.0, isFirst));
}
