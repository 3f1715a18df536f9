// conv2d_naive.wgsl: a convolution and its two gradients, one element an invocation: for those that are no products
// (lib/ops/convolution/conv2d-products.ts). Joined behind common.wgsl and the operands as matmul kernels read them, one by one.
//
// Computes    the gradients of T = Σ picture[n, h, w, c] · weight[o, r, s, c] · output[n, p, q, o] with respect to output
//             (conv2d), picture (input gradient) and weight (weight gradient); h = p · stride + r · dilation - top, w alike,
//             where the picture has such a place. c counts in the group of o.
// Layouts     picture [N, H, W, C]   weight [O, R, S, C / groups]   output [N, P, Q, O]
// Bindings    0, 1 what is given, in the order of the operation's inputs, read (matmul_floats.wgsl, matmul_half.wgsl)   2 result write   3 uniforms
// Launch      workgroup 64; one element an invocation; ⌈elements / 64⌉ workgroups, folded at 65,535
// Cost        2 flop for 8 B that are read: caches decide. The input gradient tries every tap, at stride 2 four for one
//             that is there.
// Edges       a place beside the picture is skipped, by one comparison: its number wraps around
// Reference   lib/ops/convolution/conv2d-taps.ts

override KERNEL_HEIGHT: u32 = 3;
override KERNEL_WIDTH: u32 = 3;
override STRIDE_HEIGHT: u32 = 1;
override STRIDE_WIDTH: u32 = 1;
override DILATION_HEIGHT: u32 = 1;
override DILATION_WIDTH: u32 = 1;
override TOP: u32 = 0;
override LEFT: u32 = 0;
override GROUPS: u32 = 1;

struct Uniforms {
  N: u32,
  H: u32,
  W: u32,
  C: u32,
  P: u32,
  Q: u32,
  O: u32,
}

@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@group(0) @binding(3) var<uniform> size: Uniforms;

// Place of the picture under a tap of a window; beyond its end where there is none.
fn rowUnder(p: u32, r: u32) -> u32 {
  return p * STRIDE_HEIGHT + r * DILATION_HEIGHT - TOP;
}

fn columnUnder(q: u32, s: u32) -> u32 {
  return q * STRIDE_WIDTH + s * DILATION_WIDTH - LEFT;
}

@compute @workgroup_size(64)
fn conv2dNaive(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (index >= size.N * size.P * size.Q * size.O) {
    return;
  }
  let o = index % size.O;
  let q = index / size.O % size.Q;
  let p = index / (size.O * size.Q) % size.P;
  let n = index / (size.O * size.Q * size.P);
  let channels = size.C / GROUPS;
  let group = o / (size.O / GROUPS);
  var total = 0.0;
  for (var r = 0u; r < KERNEL_HEIGHT; r++) {
    let h = rowUnder(p, r);
    for (var s = 0u; s < KERNEL_WIDTH; s++) {
      let w = columnUnder(q, s);
      if (h < size.H && w < size.W) {
        let place = ((n * size.H + h) * size.W + w) * size.C + group * channels;
        let tap = ((o * KERNEL_HEIGHT + r) * KERNEL_WIDTH + s) * channels;
        var sum = 0.0;
        for (var c = 0u; c < channels; c++) {
          sum += storedA(place + c) * storedB(tap + c);
        }
        total += sum;
      }
    }
  }
  result[index] = total;
}

@compute @workgroup_size(64)
fn conv2dInputGradientNaive(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (index >= size.N * size.H * size.W * size.C) {
    return;
  }
  let c = index % size.C;
  let w = index / size.C % size.W;
  let h = index / (size.C * size.W) % size.H;
  let n = index / (size.C * size.W * size.H);
  let channels = size.C / GROUPS;
  let filters = size.O / GROUPS;
  let firstO = c / channels * filters;
  var total = 0.0;
  for (var r = 0u; r < KERNEL_HEIGHT; r++) {
    let down = i32(h + TOP) - i32(r * DILATION_HEIGHT);
    let p = u32(down) / STRIDE_HEIGHT;
    for (var s = 0u; s < KERNEL_WIDTH; s++) {
      let right = i32(w + LEFT) - i32(s * DILATION_WIDTH);
      let q = u32(right) / STRIDE_WIDTH;
      let isWindow = down >= 0 && right >= 0 && p * STRIDE_HEIGHT == u32(down) && q * STRIDE_WIDTH == u32(right);
      if (isWindow && p < size.P && q < size.Q) {
        let place = ((n * size.P + p) * size.Q + q) * size.O + firstO;
        var sum = 0.0;
        for (var o = 0u; o < filters; o++) {
          let tap = ((firstO + o) * KERNEL_HEIGHT + r) * KERNEL_WIDTH + s;
          sum += storedA(place + o) * storedB(tap * channels + c % channels);
        }
        total += sum;
      }
    }
  }
  result[index] = total;
}

@compute @workgroup_size(64)
fn conv2dWeightGradientNaive(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let channels = size.C / GROUPS;
  if (index >= size.O * KERNEL_HEIGHT * KERNEL_WIDTH * channels) {
    return;
  }
  let c = index % channels;
  let s = index / channels % KERNEL_WIDTH;
  let r = index / (channels * KERNEL_WIDTH) % KERNEL_HEIGHT;
  let o = index / (channels * KERNEL_WIDTH * KERNEL_HEIGHT);
  let group = o / (size.O / GROUPS);
  let rows = size.N * size.P;
  let columns = size.Q;
  var total = 0.0;
  for (var row = 0u; row < rows; row++) {
    let h = rowUnder(row % size.P, r);
    if (h < size.H) {
      let picture = (row / size.P * size.H + h) * size.W;
      var sum = 0.0;
      for (var q = 0u; q < columns; q++) {
        let w = columnUnder(q, s);
        if (w < size.W) {
          sum += storedA((picture + w) * size.C + group * channels + c) * storedB((row * size.Q + q) * size.O + o);
        }
      }
      total += sum;
    }
  }
  result[index] = total;
}
