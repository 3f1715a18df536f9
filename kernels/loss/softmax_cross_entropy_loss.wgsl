// softmax_cross_entropy_loss.wgsl: the cross-entropy of few rows and classes, summed up, its gradient and, where they are
// asked for, the hits and running means, in one launch: more launches, and the sums between them, would cost more than the
// work. Joined behind common.wgsl, largest_logit.wgsl and softmax_cross_entropy.wgsl.
//
// Computes    loss = Σ_row loss[row] / (MEAN ? Σ_row w(row) : 1);  dLogits as softmax_cross_entropy.wgsl for that loss
//             hits = the share of rows whose largest logit is that of their class (correct_predictions.wgsl)
// Bindings    0 logits [N, C] read   1 target read   2 weight [C] read, where WEIGHTED   3 loss [] write
//             4 dLogits [N, C] write   5 uniforms; the block `labels` binds 6, stages from 7 on
// Launch      one workgroup of 256, a row an invocation
// Memory      256 · 16 B: Σ loss, Σ weight, hits go through one tree
// Reference   lib/ops/loss/cross-entropy-loss.ts, lib/ops/loss/loss-host.ts

// The same four numbers for a short row, by one invocation.
fn shortRowSums(row: u32) -> vec4f {
  let start = row * uniforms.C;
  var largest = -infinity(uniforms.smoothing);
  for (var c = 0u; c < uniforms.C; c++) {
    largest = maximumOf(largest, logits[start + c]);
  }
  var sums = vec3f(0.0);
  for (var c = 0u; c < uniforms.C; c++) {
    let shifted = logits[start + c] - largest;
    let share = weightOf(c) * targetOf(row, c);
    sums += vec3f(exp(shifted), share, selectBits(share * shifted, 0.0, share == 0.0));
  }
  return vec4f(largest, sums);
}

override MEAN: bool = true;

// What becomes of the loss and of the share of hits: the loss is stored, or what lib/fusion/glue.ts prints.
// begin stages
const WORD_QUADS = 1u;

fn beginStages() {
}

fn putLoss(given: f32) {
  loss[0] = given;
}

fn putHits(given: f32) {
}
// end stages

override HITS: bool = false;

var<workgroup> totals: array<vec3f, 256>; // Σ loss, Σ weight, hits of the rows

@compute @workgroup_size(256)
fn whole(@builtin(local_invocation_index) lane: u32) {
  var own = vec3f(0.0);
  for (var row = lane; row < uniforms.rows; row += 256u) {
    let sums = shortRowSums(row);
    if (!isIgnored(row)) {
      let value = sums.z * log(sums.y) - sums.w;
      var rowWeight_ = 1.0;
      if (!PROBABILITIES) {
        rowWeight_ = weightOf(min(labelOf(row), uniforms.C - 1u));
      }
      own += vec3f(valueOrNan(value, isValid(row, sums.x)), rowWeight_, 0.0);
    }
    if (HITS) {
      own.z += isLargest(row, labelOf(row));
    }
  }
  totals[lane] = own;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      totals[lane] += totals[lane + half];
    }
  }
  workgroupBarrier();
  let divisor = select(1.0, totals[0].y, MEAN);
  if (lane == 0u) {
    beginStages();
    putLoss(totals[0].x / divisor);
    putHits(totals[0].z / f32(uniforms.rows));
  }
  for (var row = lane; row < uniforms.rows; row += 256u) {
    let sums = shortRowSums(row);
    let isUsed = !isIgnored(row);
    let isDefined = isValid(row, sums.x);
    for (var c = 0u; c < uniforms.C; c++) {
      let at = row * uniforms.C + c;
      let probability = exp(logits[at] - sums.x) / sums.y;
      let value = (probability * sums.z - weightOf(c) * targetOf(row, c)) / divisor;
      dLogits[at] = selectBits(0.0, valueOrNan(value, isDefined), isUsed);
    }
  }
}
