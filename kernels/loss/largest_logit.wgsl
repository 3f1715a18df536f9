// largest_logit.wgsl: whether the largest logit of a row is that of a class: 1 or 0. Joined behind common.wgsl and in front of
// kernels that bind `logits` [N, C] and have C among their uniforms.
//
// Edges       of several largest logits the first one counts, as in argmax; a row with NaN is not correct
// Reference   lib/ops/loss/accuracy.ts

fn isLargest(row: u32, class_: u32) -> f32 {
  let start = row * uniforms.C;
  var best = 0u;
  var hasNan = isNan(logits[start]);
  for (var c = 1u; c < uniforms.C; c++) {
    hasNan = hasNan || isNan(logits[start + c]);
    if (logits[start + c] > logits[start + best]) {
      best = c;
    }
  }
  return select(0.0, 1.0, best == class_ && !hasNan);
}
