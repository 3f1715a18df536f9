// average_pool2d.wgsl: the mean of each window, and its gradient. Joined behind common.wgsl, pool_window.wgsl and
// channels_four.wgsl or channels_one.wgsl.
//
// Computes    averagePool2d          output[n, row, column, c] = Σ input[n, y, x, c] / counted(row, column), over the window's places
//                                    in the picture; counted: its places in the picture and in the padding that counts
//             averagePool2dGradient  output[n, y, x, c] = Σ input[n, row, column, c] / counted(row, column), over the windows that
//                                    have (y, x)
// Bindings    0 input [N, .., C] (f32 or f16) read   1 output [N, .., C] write   2 uniforms
// Launch      workgroup 64; four channels of a place an invocation; folded at 65,535 workgroups
// Cost        4 B (f16: 2 B) read and 4 B written an element of either tensor (overlaps come from the cache): bound by bandwidth
// Edges       what lies in the padding is read from the edge of the picture and does not take part
// Reference   lib/ops/pooling/average-pool2d.ts

// Places of a window along an axis that count: from `start`, in the padded picture, on.
fn countedAlong(start: u32, kernel: u32, padding: u32, size: u32, before: u32, behind: u32) -> u32 {
  return min(start + kernel, padding + size + behind) - max(start, padding - before);
}

fn countedIn(row: u32, column: u32) -> f32 {
  let counted = uniforms.counted;
  let rows = countedAlong(row * STRIDE_HEIGHT, KERNEL_HEIGHT, uniforms.top, uniforms.height, counted.x, counted.y);
  let columns = countedAlong(column * STRIDE_WIDTH, KERNEL_WIDTH, uniforms.left, uniforms.width, counted.z, counted.w);
  return f32(rows * columns);
}

// The value where it takes part, else 0, whatever it is.
fn valueIf(value: vec4f, takesPart: bool) -> vec4f {
  return bitcast<vec4f>(select(vec4u(), bitcast<vec4u>(value), takesPart));
}

@compute @workgroup_size(64)
fn averagePool2d(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (invocation >= uniforms.count) {
    return;
  }
  let at = positionOf(invocation, uniforms.rows, uniforms.columns);
  var sum = vec4f();
  for (var i = 0u; i < KERNEL_HEIGHT; i++) {
    // A row before the picture is beyond it, too: numbers wrap around.
    let y = at.row * STRIDE_HEIGHT + i - uniforms.top;
    let line = (at.n * uniforms.height + min(y, uniforms.height - 1u)) * uniforms.width;
    for (var j = 0u; j < KERNEL_WIDTH; j++) {
      let x = at.column * STRIDE_WIDTH + j - uniforms.left;
      let value = inputAt(line + min(x, uniforms.width - 1u), at.quad);
      sum += valueIf(value, (y < uniforms.height) & (x < uniforms.width));
    }
  }
  store((at.n * uniforms.rows + at.row) * uniforms.columns + at.column, at.quad, sum / countedIn(at.row, at.column));
}

@compute @workgroup_size(64)
fn averagePool2dGradient(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (invocation >= uniforms.count) {
    return;
  }
  let at = positionOf(invocation, uniforms.height, uniforms.width);
  let y = at.row + uniforms.top;
  let x = at.column + uniforms.left;
  var sum = vec4f();
  for (var above = 0u; above < WINDOWS_HEIGHT; above++) {
    let row = y / STRIDE_HEIGHT - above;
    let isRow = (row < uniforms.rows) & (y - row * STRIDE_HEIGHT < KERNEL_HEIGHT);
    let nearRow = min(row, uniforms.rows - 1u);
    for (var before = 0u; before < WINDOWS_WIDTH; before++) {
      let column = x / STRIDE_WIDTH - before;
      let isColumn = (column < uniforms.columns) & (x - column * STRIDE_WIDTH < KERNEL_WIDTH);
      let nearColumn = min(column, uniforms.columns - 1u);
      let value = inputAt((at.n * uniforms.rows + nearRow) * uniforms.columns + nearColumn, at.quad);
      sum += valueIf(value, isRow & isColumn) / countedIn(nearRow, nearColumn);
    }
  }
  store((at.n * uniforms.height + at.row) * uniforms.width + at.column, at.quad, sum);
}
