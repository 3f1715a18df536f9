// largest_logit.wgsl: the class of the largest logit of a row. Joined behind common.wgsl and in front of kernels that bind
// `logits` [N, C] and have C among their uniforms.
//
// Edges       of several largest logits the first one counts, as in argmax; a row with NaN has none
// Reference   lib/ops/loss/largest.ts

// C where there is none.
fn largestAt(row: u32) -> u32 {
  let start = row * uniforms.C;
  var best = 0u;
  var hasNan = isNan(logits[start]);
  for (var c = 1u; c < uniforms.C; c++) {
    hasNan = hasNan || isNan(logits[start + c]);
    if (logits[start + c] > logits[start + best]) {
      best = c;
    }
  }
  return select(best, uniforms.C, hasNan);
}

fn isLargest(row: u32, class_: u32) -> f32 {
  let best = largestAt(row);
  return select(0.0, 1.0, best == class_ && best < uniforms.C);
}
