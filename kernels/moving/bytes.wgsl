// bytes.wgsl: bytes (u8) as numbers, and rows of a table of them by index. Joined behind common.wgsl.
//
// Computes    scaleBytes:  output[i] = bytes[i] · scale
//             gatherBytes: output[i, d] = bytes[indices[i], d] · scale; a row that does not exist is NaN
// Bindings    scaleBytes:  0 bytes [I] read   1 output [I] write   3 uniforms (D is 1)
//             gatherBytes: 0 bytes [R, D] read   1 indices [I] read   2 output [I, D] write   3 uniforms
//             Four bytes share a word, the first one in its lowest eight bits.
// Launch      workgroup 64; one element of the output an invocation; folded at 65,535
// Cost        5 B moved an element, coalesced
// Accuracy    The scale comes as two numbers: `x` of 16 bits, so that its product with a byte is exact, and `y`, what is left
//             of it. So the sum is rounded once, and is what float64 rounds to f32 as well, save where that lies within
//             2^-16 of a place from the middle between two floats. Written as fma, rounded once or twice: compilers make one
//             product of byte · x + byte · y.
// Reference   lib/ops/moving/bytes.ts

struct Uniforms {
  R: u32,
  D: u32,
  I: u32,
  scale: vec2f,
}

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read_write> scaled: array<f32>;
@group(0) @binding(2) var<storage, read_write> gathered: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

fn numberAt(i: u32) -> f32 {
  let byte = f32(extractBits(bytes[i / 4u], 8u * (i % 4u), 8u));
  return fma(byte, uniforms.scale.x, byte * uniforms.scale.y);
}

@compute @workgroup_size(64)
fn scaleBytes(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i < uniforms.I) {
    scaled[i] = numberAt(i);
  }
}

@compute @workgroup_size(64)
fn gatherBytes(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.I * uniforms.D) {
    return;
  }
  let row = indices[i / uniforms.D];
  if (row < uniforms.R) {
    gathered[i] = numberAt(row * uniforms.D + i % uniforms.D);
  } else {
    gathered[i] = nanValue(f32(row));
  }
}
