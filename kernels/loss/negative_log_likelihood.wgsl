// negative_log_likelihood.wgsl: picks one log-probability of each row, and the gradient. Joined behind common.wgsl.
//
// Computes    loss[i] = -logProbabilities[i, target[i]];   gradient: d[i, c] = c = target[i] ? -dLoss[i] : 0
//             NaN where target[i] is no class
// Bindings    forward:  0 logProbabilities [N, C] read   1 target [N] read   2 loss [N] write   3 uniforms
//             gradient: 0 target [N] read   1 dLoss [N] read   2 d [N, C] write   3 uniforms
// Launch      workgroup 64; forward: one row an invocation; gradient: one element an invocation; folded at 65,535
// Reference   lib/ops/loss/negative-log-likelihood.ts

struct Uniforms {
  N: u32,
  C: u32,
}

@group(0) @binding(0) var<storage, read> logProbabilities: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(0) var<storage, read> gradientLabels: array<u32>;
@group(0) @binding(1) var<storage, read> dLoss: array<f32>;
@group(0) @binding(2) var<storage, read_write> dLogProbabilities: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (row >= uniforms.N) {
    return;
  }
  let label = labels[row];
  if (label < uniforms.C) {
    loss[row] = -logProbabilities[row * uniforms.C + label];
  } else {
    loss[row] = nanValue(f32(label));
  }
}

@compute @workgroup_size(64)
fn gradient(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.N * uniforms.C) {
    return;
  }
  let row = i / uniforms.C;
  dLogProbabilities[i] = select(0.0, -dLoss[row], gradientLabels[row] == i % uniforms.C);
}
