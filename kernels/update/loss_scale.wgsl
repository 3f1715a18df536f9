// loss_scale.wgsl: dynamic loss scaling: what becomes of the scale, and of the optimizer's step, by whether gradients are
// finite. Joined behind common.wgsl.
//
// Computes    moveLossScale: where `total` is finite, one more good step, and after `interval` of them twice the scale; else half
//             of it, and no good step. The scale stays between 1 and 2^24.
//             skipUnlessFinite: where `total` is not, the rate of each parameter becomes SKIPPED, until `advance` writes the
//             next one: kernels of updates leave everything as it is then (lib/fusion/glue.ts)
// Bindings    moveLossScale: 0 scale, 1 good steps (f32) read and write   2 total (f32) read   3 uniforms
//             skipUnlessFinite: 0 state of an optimizer (u32) read and write   2 total (f32) read   3 uniforms
// Launch      one workgroup of 64; members of the state side by side
// Cost        bound by latency
// Reference   lib/ops/update/loss-scale.ts

const SKIPPED = 0xffffffffu;

struct Uniforms {
  interval: f32,
  members: u32,
}

@group(0) @binding(0) var<storage, read_write> scale: array<f32>;
@group(0) @binding(1) var<storage, read_write> goodSteps: array<f32>;
@group(0) @binding(2) var<storage, read> total: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn moveLossScale(@builtin(local_invocation_index) lane: u32) {
  if (lane > 0u) {
    return;
  }
  let isGood = isFinite(total[0]);
  let steps = goodSteps[0] + 1.0;
  let isGrowing = isGood && steps >= uniforms.interval;
  let factor = select(select(0.5, 1.0, isGood), 2.0, isGrowing);
  scale[0] = clamp(scale[0] * factor, 1.0, 16777216.0);
  goodSteps[0] = select(0.0, steps, isGood && !isGrowing);
}

@group(0) @binding(0) var<storage, read_write> state: array<u32>;

@compute @workgroup_size(64)
fn skipUnlessFinite(@builtin(local_invocation_index) lane: u32) {
  if (isFinite(total[0])) {
    return;
  }
  let members = uniforms.members;
  for (var member = lane; member < members; member += 64u) {
    state[1u + 3u * member] = SKIPPED;
  }
}
