// softmax.wgsl: softmax or its logarithm along one axis. Joined behind common.wgsl.
//
// Computes    m = max x, s = Σ exp(x - m);  softmax: exp(x - m) / s;  logarithm: x - m - log(s)
// Bindings    0 input [outer, C, inner] read   1 output [outer, C, inner] write   2 uniforms
// Launch      one row (of C elements, `inner` apart) a workgroup of 64; outer · inner workgroups, folded at 65,535
// Memory      64 · 4 B for the trees over maximum and sum
// Cost        three reads and one write an element, exp twice: bound by bandwidth for long rows
// Edges       a row whose maximum is NaN or infinite (a NaN, +Inf, or nothing but -Inf in it) is NaN throughout,
//             told by bits, because x - m = Inf - Inf is not NaN on every adapter
// Source      maximum subtracted first: Goodfellow, Bengio, Courville, "Deep Learning", section 4.1
// Reference   lib/ops/normalize/softmax.ts

override LOGARITHM: bool = false;

struct Uniforms {
  rows: u32,
  C: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn softmax(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups);
  if (row >= uniforms.rows) {
    return; // the same for the whole workgroup
  }
  let start = row / uniforms.inner * uniforms.C * uniforms.inner + row % uniforms.inner;

  var largest = -infinity(f32(lane));
  for (var i = lane; i < uniforms.C; i += 64u) {
    largest = maximumOf(largest, input[start + i * uniforms.inner]);
  }
  partial[lane] = largest;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] = maximumOf(partial[lane], partial[lane + half]);
    }
  }
  workgroupBarrier();
  largest = partial[0];
  workgroupBarrier(); // everyone has read the maximum before the sums take its place

  var sum = 0.0;
  for (var first = lane; first < uniforms.C; first += 4096u) { // by 64 numbers: a long row is no chain of roundings
    var part = 0.0;
    for (var i = first; i < min(first + 4096u, uniforms.C); i += 64u) {
      part += exp(input[start + i * uniforms.inner] - largest);
    }
    sum += part;
  }
  partial[lane] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
  }
  workgroupBarrier();
  sum = partial[0];

  let isDefined = isFinite(largest);
  let logSum = log(sum);
  for (var i = lane; i < uniforms.C; i += 64u) {
    let at = start + i * uniforms.inner;
    let shifted = input[at] - largest;
    let result = select(exp(shifted) / sum, shifted - logSum, LOGARITHM);
    output[at] = valueOrNan(result, isDefined);
  }
}
