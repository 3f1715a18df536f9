// correct_predictions.wgsl: 1 where the largest logit of a row is that of its class, else 0. Joined behind common.wgsl.
//
// Bindings    0 logits [N, C] read   1 target [N] (i32) read   2 correct [N] write   3 uniforms
// Launch      workgroup 64; one row an invocation; ⌈N / 64⌉ workgroups, folded at 65,535
// Edges       of several largest logits the first one counts, as in argmax; a row with NaN is not correct
// Reference   lib/ops/accuracy.ts

struct Uniforms {
  N: u32,
  C: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> correct: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn correctPredictions(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (row >= uniforms.N) {
    return;
  }
  let start = row * uniforms.C;
  var best = 0u;
  var hasNan = isNan(logits[start]);
  for (var c = 1u; c < uniforms.C; c++) {
    hasNan = hasNan || isNan(logits[start + c]);
    if (logits[start + c] > logits[start + best]) {
      best = c;
    }
  }
  correct[row] = select(0.0, 1.0, best == labels[row] && !hasNan);
}
