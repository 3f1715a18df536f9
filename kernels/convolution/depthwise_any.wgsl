// depthwise_any.wgsl: what depthwise.wgsl computes, for windows that are too large to be written out, one place at a time.
// Joined behind depthwise_common.wgsl.
//
// Computes    sums[n, y, x, c] = Σ_{r, s} source[n, v, u, c] · weight[r, s, c]
//             for the v that fulfil  SOURCE_STEP · v = TARGET_STEP · y + FIRST + TAP_STEP · r,  and u and s alike along x
// Bindings    those of depthwise_common.wgsl
// Launch      workgroup 64; an Element an invocation, four channels or one; folded at 65,535
// Cost        2 flop and two loads from a cache a tap: bound by these; the steps are constants, so divisions are none
// Edges       taps outside of the source are left out
// Reference   lib/ops/convolution/depthwise-operations.ts

override ROWS: u32; // of the weight
override COLUMNS: u32;
override SOURCE_STEP_Y: i32;
override SOURCE_STEP_X: i32;
override TARGET_STEP_Y: i32;
override TARGET_STEP_X: i32;
override FIRST_Y: i32;
override FIRST_X: i32;
override TAP_STEP_Y: i32;
override TAP_STEP_X: i32;

@compute @workgroup_size(64)
fn depthwiseAny(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (invocation >= sizes.invocations) {
    return;
  }
  let quad = invocation % sizes.quads;
  let pixel = invocation / sizes.quads;
  let x = pixel % sizes.targetWidth;
  let above = pixel / sizes.targetWidth;
  let y = above % sizes.targetHeight;
  let picture = above / sizes.targetHeight;
  var sum = Element();
  for (var r = 0u; r < ROWS; r++) {
    let v = i32(y) * TARGET_STEP_Y + FIRST_Y + i32(r) * TAP_STEP_Y;
    if (v < 0 || v % SOURCE_STEP_Y != 0 || v / SOURCE_STEP_Y >= i32(sizes.sourceHeight)) {
      continue;
    }
    let row = (picture * sizes.sourceHeight + u32(v / SOURCE_STEP_Y)) * sizes.sourceWidth;
    for (var s = 0u; s < COLUMNS; s++) {
      let u = i32(x) * TARGET_STEP_X + FIRST_X + i32(s) * TAP_STEP_X;
      if (u >= 0 && u % SOURCE_STEP_X == 0 && u / SOURCE_STEP_X < i32(sizes.sourceWidth)) {
        let value = storedSource((row + u32(u / SOURCE_STEP_X)) * sizes.quads + quad);
        sum += value * storedWeight((r * COLUMNS + s) * sizes.quads + quad);
      }
    }
  }
  beginStages();
  put(sum, invocation * WIDTH, quad * WIDTH);
}
