// dropout.wgsl: output[i] = keep(i) ? input[i] · scale : 0. Joined behind common.wgsl and philox.wgsl.
//
// Computes    keep(i) = (24 random bits of element i) >= threshold, threshold = round(probability · 2^24), compared as
//             integers, so that every device keeps the same elements. The backward pass draws the same mask again.
// Bindings    0 input [count] read   1 state [4] (seed low, seed high, step, -) read   2 output [count] write   3 uniforms
// Launch      workgroup 64; one vec4 = one Philox block an invocation; ⌈count / 256⌉ workgroups, folded at 65,535
// Cost        8 B moved an element; ten Philox rounds for four elements, about 40 integer operations each: bound by
//             arithmetic on small GPUs, by bandwidth on large ones; a stored mask would cost 8 B more an element
// Reference   lib/ops/random/dropout.ts

struct Uniforms {
  quads: u32,
  stream: u32,
  use_: u32,
  threshold: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn dropout(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (quad >= uniforms.quads) {
    return;
  }
  let bits = philox4x32(vec4u(quad, state[2], uniforms.stream, uniforms.use_), vec2u(state[0], state[1]));
  let keep = (bits >> vec4u(8u)) >= vec4u(uniforms.threshold);
  output[quad] = select(vec4f(0.0), input[quad] * uniforms.scale, keep);
}
