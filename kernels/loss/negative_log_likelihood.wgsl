// negative_log_likelihood.wgsl: picks one log-probability of each row, and the gradient. Joined behind common.wgsl.
//
// Computes    loss[i] = -weight[t] · logProbabilities[i, t], rowWeight[i] = weight[t], t = target[i]
//             gradient: d[i, c] = c = t ? -weight[t] · dLoss[i] : 0
//             0 where t is ignoreIndex; loss and rowWeight are NaN where it is no class
// Bindings    forward:  0 logProbabilities [N, C] read   1 target [N] read   2 weight [C] read   3 loss [N] write
//                       4 rowWeight [N] write   5 uniforms
//             gradient: 0 target [N] read   1 weight [C] read   2 dLoss [N] read   3 d [N, C] write   5 uniforms
// Launch      workgroup 64; forward: one row an invocation; gradient: one element an invocation; folded at 65,535
// Reference   lib/ops/loss/negative-log-likelihood.ts

override WEIGHTED: bool = false;

struct Uniforms {
  N: u32,
  C: u32,
  ignoreIndex: u32,
}

@group(0) @binding(0) var<storage, read> logProbabilities: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> rowWeight: array<f32>;
@group(0) @binding(0) var<storage, read> gradientLabels: array<u32>;
@group(0) @binding(1) var<storage, read> gradientWeight: array<f32>;
@group(0) @binding(2) var<storage, read> dLoss: array<f32>;
@group(0) @binding(3) var<storage, read_write> dLogProbabilities: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

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
  if (label == uniforms.ignoreIndex) {
    loss[row] = 0.0;
    rowWeight[row] = 0.0;
  } else if (label < uniforms.C) {
    let own = select(1.0, weight[select(0u, label, WEIGHTED)], WEIGHTED);
    loss[row] = -own * logProbabilities[row * uniforms.C + label];
    rowWeight[row] = own;
  } else {
    loss[row] = nanValue(f32(label));
    rowWeight[row] = nanValue(f32(label));
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
  let label = gradientLabels[i / uniforms.C];
  let isOwn = label == i % uniforms.C && label != uniforms.ignoreIndex;
  let own = select(1.0, gradientWeight[select(0u, i % uniforms.C, WEIGHTED)], WEIGHTED);
  dLogProbabilities[i] = select(0.0, -own * dLoss[i / uniforms.C], isOwn);
}
