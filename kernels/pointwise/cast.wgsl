// cast.wgsl: the same numbers in another element type. Joined behind common.wgsl and float16.wgsl.
//
// Computes    output[i] = input[i] as TO: rounded to the nearest 16-bit float, of two to the even one; towards 0 to integers,
//             which end at their limits, NaN at 0; i32 and u32 keep their bits among each other
// Bindings    0 input [count] read   1 output [count] write   2 uniforms          (words; 16-bit floats, two in a word)
// Launch      workgroup 64; two elements an invocation, because they may share a word; ⌈count / 128⌉ workgroups, folded
//             at 65,535
// Cost        6 B moved an element with f16 on one side, else 8 B: bound by bandwidth
// Edges       the upper half of a last word that only one element has is 0
// Rounding    f16: float16.wgsl
// Reference   lib/ops/pointwise/cast.ts

const F32 = 0u;
const F16 = 1u;
const I32 = 2u;
const U32 = 3u;

override FROM: u32 = F32;
override TO: u32 = F16;

struct Uniforms {
  count: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

fn numberAt(i: u32) -> f32 {
  if (FROM == F16) {
    return unpack2x16float(input[i / 2u])[i % 2u];
  }
  let word = input[i];
  if (FROM == I32) {
    return f32(bitcast<i32>(word));
  }
  if (FROM == U32) {
    return f32(word);
  }
  return bitcast<f32>(word);
}

fn signedBits(value: f32) -> u32 {
  if (isNan(value)) {
    return 0u;
  }
  if (value >= 2147483648.0) {
    return 0x7fffffffu;
  }
  return select(bitcast<u32>(i32(value)), 0x80000000u, value < -2147483648.0);
}

fn unsignedBits(value: f32) -> u32 {
  if (isNan(value) || value <= 0.0) {
    return 0u;
  }
  return select(u32(value), 0xffffffffu, value >= 4294967296.0);
}

fn bitsAt(i: u32) -> u32 {
  if (FROM >= I32 && TO >= I32) {
    return input[i];
  }
  let value = numberAt(i);
  if (TO == F16) {
    return float16Bits(value);
  }
  if (TO == I32) {
    return signedBits(value);
  }
  if (TO == U32) {
    return unsignedBits(value);
  }
  return bitcast<u32>(value);
}

@compute @workgroup_size(64)
fn castElements(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let pair = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let i = 2u * pair;
  if (i >= uniforms.count) {
    return;
  }
  let first = bitsAt(i);
  let hasSecond = i + 1u < uniforms.count;
  var second = 0u;
  if (hasSecond) {
    second = bitsAt(i + 1u);
  }
  if (TO == F16) {
    output[pair] = first | (second << 16u);
    return;
  }
  output[i] = first;
  if (hasSecond) {
    output[i + 1u] = second;
  }
}
