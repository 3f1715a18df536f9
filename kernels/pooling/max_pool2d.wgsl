// max_pool2d.wgsl: the largest element of each window, and where the gradient goes. Joined behind common.wgsl,
// pool_window.wgsl and channels_four.wgsl or channels_one.wgsl.
//
// Computes    maxPool2d          output[n, row, column, c] = max over the window's places in the picture, in row order;
//                                places[n, row, column, c] = the place of the first largest; a byte, four channels a word
//             maxPool2dGradient  output[n, y, x, c] = Σ input[n, row, column, c] over the windows whose winner stands at (y, x)
// Bindings    0 input [N, .., C] (f32 or f16) read   1 output [N, .., C] write   2 uniforms   3 places write   4 winners (places) read
// Launch      workgroup 64; four channels of a place an invocation; folded at 65,535 workgroups
// Cost        4 B (f16: 2 B) read an element of the picture (more often where windows overlap, from the cache), 5 B written an output;
//             the gradient the other way round: bound by bandwidth. No atomics: the gradient asks the windows that have
//             its place, at most ⌈size / stride⌉ along an axis
// Edges       what lies in the padding is read from the edge of the picture and does not take part
// Reference   lib/ops/pooling/max-pool2d.ts

@group(0) @binding(3) var<storage, read_write> places: array<u32>;
@group(0) @binding(4) var<storage, read> winners: array<u32>;

fn isNanFour(bits: vec4u) -> vec4<bool> {
  return (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// The first place of a window along an axis that is not before the picture.
fn firstInside(start: u32, padding: u32, dilation: u32) -> u32 {
  return select(0u, (padding - start + dilation - 1u) / dilation, padding > start);
}

@compute @workgroup_size(64)
fn maxPool2d(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (invocation >= uniforms.count) {
    return;
  }
  let at = positionOf(invocation, uniforms.rows, uniforms.columns);
  let top = at.row * STRIDE_HEIGHT;
  let left = at.column * STRIDE_WIDTH;
  let firstRow = firstInside(top, uniforms.top, DILATION_HEIGHT);
  let firstColumn = firstInside(left, uniforms.left, DILATION_WIDTH);

  var largest = vec4u(bitcast<u32>(-infinity(f32(invocation))));
  var winner = vec4u(firstRow * KERNEL_WIDTH + firstColumn);
  var isNan = vec4<bool>(false);
  for (var i = 0u; i < KERNEL_HEIGHT; i++) {
    let y = top + i * DILATION_HEIGHT - uniforms.top;
    // A row before the picture is beyond it, too: numbers wrap around.
    let line = (at.n * uniforms.height + min(y, uniforms.height - 1u)) * uniforms.width;
    for (var j = 0u; j < KERNEL_WIDTH; j++) {
      let x = left + j * DILATION_WIDTH - uniforms.left;
      let value = inputAt(line + min(x, uniforms.width - 1u), at.quad);
      let bits = bitcast<vec4u>(value);
      let isInside = (y < uniforms.height) & (x < uniforms.width);
      let isLarger = (value > bitcast<vec4f>(largest)) & !isNan;
      let takes = vec4<bool>(isInside) & (isLarger | isNanFour(bits));
      isNan |= takes & isNanFour(bits);
      largest = select(largest, bits, takes);
      winner = select(winner, vec4u(i * KERNEL_WIDTH + j), takes);
    }
  }
  let place = (at.n * uniforms.rows + at.row) * uniforms.columns + at.column;
  store(place, at.quad, bitcast<vec4f>(largest));
  winner = select(vec4u(), winner, areChannels(at.quad));
  places[place * uniforms.quads + at.quad] = winner.x | (winner.y << 8u) | (winner.z << 16u) | (winner.w << 24u);
}

@compute @workgroup_size(64)
fn maxPool2dGradient(
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
    let i = y - row * STRIDE_HEIGHT;
    let isRow = (row < uniforms.rows) & (i % DILATION_HEIGHT == 0u) & (i / DILATION_HEIGHT < KERNEL_HEIGHT);
    let line = (at.n * uniforms.rows + min(row, uniforms.rows - 1u)) * uniforms.columns;
    for (var before = 0u; before < WINDOWS_WIDTH; before++) {
      let column = x / STRIDE_WIDTH - before;
      let j = x - column * STRIDE_WIDTH;
      let isColumn = (column < uniforms.columns) & (j % DILATION_WIDTH == 0u) & (j / DILATION_WIDTH < KERNEL_WIDTH);
      let place = line + min(column, uniforms.columns - 1u);
      let own = (i / DILATION_HEIGHT) * KERNEL_WIDTH + j / DILATION_WIDTH;
      let word = winners[place * uniforms.quads + at.quad];
      let isWinner = ((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u)) == vec4u(own);
      let gradient = bitcast<vec4u>(inputAt(place, at.quad));
      sum += bitcast<vec4f>(select(vec4u(), gradient, isWinner & vec4<bool>(isRow & isColumn)));
    }
  }
  store((at.n * uniforms.height + at.row) * uniforms.width + at.column, at.quad, sum);
}
