// correct_predictions.wgsl: 1 where the largest logit of a row is that of its class, else 0, and the mean of that over few
// rows. Joined behind common.wgsl and largest_logit.wgsl.
//
// Bindings    0 logits [N, C] read   1 target [N] (i32) read   2 correct [N] (accuracy: []) write   3 uniforms
// Launch      correctPredictions: workgroup 64; one row an invocation; ⌈N / 64⌉ workgroups, folded at 65,535
//             accuracy: one workgroup of 256
// Reference   lib/ops/loss/accuracy.ts

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
  if (row < uniforms.N) {
    correct[row] = isLargest(row, labels[row]);
  }
}

var<workgroup> hits: array<f32, 256>;

@compute @workgroup_size(256)
fn accuracy(@builtin(local_invocation_index) lane: u32) {
  var own = 0.0;
  for (var row = lane; row < uniforms.N; row += 256u) {
    own += isLargest(row, labels[row]);
  }
  hits[lane] = own;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      hits[lane] += hits[lane + half];
    }
  }
  if (lane == 0u) {
    correct[0] = hits[0] / f32(uniforms.N);
  }
}
