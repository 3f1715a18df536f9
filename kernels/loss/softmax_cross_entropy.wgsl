// softmax_cross_entropy.wgsl: cross-entropy of each row of logits with its target, and the gradient.
// Joined behind common.wgsl.
//
// Computes    logP[c] = logit[c] - m - log Σ exp(logit - m), m the row's maximum
//             a class as target t:    q[c] = (1 - s) [c = t] + s / C,  w(row) = weight[t]
//             probabilities p:        q[c] = (1 - s) p[c] + s / C,     w(row) = 1
//             loss[row] = -Σ_c weight[c] · q[c] · logP[c],  rowWeight[row] = w(row)
//             dLogits[row, j] = dLoss[row] · (softmax[j] · Σ_c weight[c] q[c] - weight[j] q[j])
//             s is the label smoothing. Rows whose class is `ignoreIndex` have loss, weight and gradient 0; a class
//             outside of 0 … C - 1 gives NaN.
// Bindings    forward:  0 logits [N, C] read   1 target read   2 weight [C] read   3 loss [N] write
//                       4 rowWeight [N] write   5 uniforms
//             gradient: 0 logits   1 target   2 weight   3 dLoss [N] read   4 dLogits [N, C] write   5 uniforms
//             target is i32 [N], or f32 [N, C] where PROBABILITIES (bound as u32 words either way)
// Launch      forward, gradient: one row a workgroup of 64; N workgroups, folded at 65,535
// Memory      64 · 16 B: maximum, Σ exp, Σ weight · q, Σ weight · q · logit go through one tree of vec4s
// Cost        two reads (and one write) an element, one exp each: bound by bandwidth for many classes, by the launch
//             for two
// Edges       the loss is logsumexp - logit, never the log of a probability, so it is finite for logits of ±1e4
// Reference   lib/ops/loss/softmax-cross-entropy.ts

override PROBABILITIES: bool = false;
override WEIGHTED: bool = false;

struct Uniforms {
  rows: u32,
  C: u32,
  ignoreIndex: i32,
  smoothing: f32,
  words: array<vec4u, WORD_QUADS>, // numbers that stages of softmax_cross_entropy_loss.wgsl need
}

// begin words
const WORD_QUADS = 1u;
// end words

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> target_: array<u32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> rowWeight: array<f32>;
@group(0) @binding(3) var<storage, read> dLoss: array<f32>;
@group(0) @binding(4) var<storage, read_write> dLogits: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

var<workgroup> partial: array<vec4f, 64>;

// begin weights
@group(0) @binding(2) var<storage, read> weight: array<f32>;

fn weightOf(class_: u32) -> f32 {
  return select(1.0, weight[select(0u, class_, WEIGHTED)], WEIGHTED);
}
// end weights

// The class of a row, where the target is classes.
// begin labels
fn labelOf(row: u32) -> u32 {
  return target_[row];
}
// end labels

// q[c] of the head comment.
fn targetOf(row: u32, class_: u32) -> f32 {
  var share = 0.0;
  if (PROBABILITIES) {
    share = bitcast<f32>(target_[row * uniforms.C + class_]);
  } else {
    share = select(0.0, 1.0, labelOf(row) == class_);
  }
  return (1.0 - uniforms.smoothing) * share + uniforms.smoothing / f32(uniforms.C);
}

// (m, Σ exp(logit - m), Σ weight q, Σ weight q (logit - m)) of the row, the same for every lane.
fn rowSums(row: u32, lane: u32) -> vec4f {
  let start = row * uniforms.C;
  var largest = -infinity(f32(lane));
  for (var c = lane; c < uniforms.C; c += 64u) {
    largest = maximumOf(largest, logits[start + c]);
  }
  partial[lane] = vec4f(largest);
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] = vec4f(maximumOf(partial[lane].x, partial[lane + half].x));
    }
  }
  workgroupBarrier();
  largest = partial[0].x;
  workgroupBarrier(); // everyone has read the maximum before the sums take its place

  var sums = vec3f(0.0);
  for (var first = lane; first < uniforms.C; first += 4096u) { // by 64 numbers: a long row is no chain of roundings
    var part = vec3f(0.0);
    for (var c = first; c < min(first + 4096u, uniforms.C); c += 64u) {
      let shifted = logits[start + c] - largest;
      let share = weightOf(c) * targetOf(row, c);
      part += vec3f(exp(shifted), share, selectBits(share * shifted, 0.0, share == 0.0));
    }
    sums += part;
  }
  partial[lane] = vec4f(0.0, sums);
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
  }
  workgroupBarrier();
  return vec4f(largest, partial[0].yzw);
}

// Whether the row counts, and whether its class exists.
fn isIgnored(row: u32) -> bool {
  return !PROBABILITIES && bitcast<i32>(labelOf(row)) == uniforms.ignoreIndex;
}

fn isValid(row: u32, largest: f32) -> bool {
  return isFinite(largest) && (PROBABILITIES || labelOf(row) < uniforms.C);
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups);
  if (row >= uniforms.rows) {
    return; // the same for the whole workgroup
  }
  let sums = rowSums(row, lane);
  if (lane == 0u) {
    // -Σ weight q (logit - m - log s) = Σ weight q · log s - Σ weight q (logit - m)
    let value = sums.z * log(sums.y) - sums.w;
    let isUsed = !isIgnored(row);
    loss[row] = selectBits(0.0, valueOrNan(value, isValid(row, sums.x)), isUsed);
    var own = 1.0;
    if (!PROBABILITIES && isUsed) {
      own = weightOf(min(labelOf(row), uniforms.C - 1u));
    }
    rowWeight[row] = select(0.0, own, isUsed);
  }
}

@compute @workgroup_size(64)
fn gradient(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups);
  if (row >= uniforms.rows) {
    return; // the same for the whole workgroup
  }
  let sums = rowSums(row, lane);
  let isUsed = !isIgnored(row);
  let isDefined = isValid(row, sums.x);
  for (var c = lane; c < uniforms.C; c += 64u) {
    let at = row * uniforms.C + c;
    let probability = exp(logits[at] - sums.x) / sums.y;
    let value = dLoss[row] * (probability * sums.z - weightOf(c) * targetOf(row, c));
    dLogits[at] = selectBits(0.0, valueOrNan(value, isDefined), isUsed);
  }
}
