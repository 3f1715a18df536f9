// random.wgsl: fills a tensor with random numbers. Joined behind common.wgsl and philox.wgsl.
//
// Entries     bits: 32 random bits (u32)
//             uniform: 24 of them as a float in [0, 1)
//             normal: Box and Muller 1958, two values from two uniform ones: r = sqrt(-2 ln(1 - u)), angle 2πv,
//             (r cos, r sin). 1 - u lies in (0, 1], so the logarithm is finite. cos, sin and log differ between
//             adapters in the last places; bits and uniform are the same everywhere.
// Bindings    0 state [4] (seed low, seed high, step, -) read   1 output [count] write   2 uniforms
// Launch      workgroup 64; one Philox block = four elements an invocation; ⌈count / 256⌉ workgroups
// Reference   lib/ops/random/random.ts

struct Uniforms {
  quads: u32,
  stream: u32,
  use_: u32,
}

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

fn draw(quad: u32) -> vec4u {
  return philox4x32(vec4u(quad, state[2], uniforms.stream, uniforms.use_), vec2u(state[0], state[1]));
}

fn boxMuller(u: f32, v: f32) -> vec2f {
  let angle = 6.2831853 * v;
  return sqrt(-2.0 * log(1.0 - u)) * vec2f(cos(angle), sin(angle));
}

fn distribute(bits: vec4u) -> vec4u {
// begin function
  return bits;
// end function
}

@compute @workgroup_size(64)
fn random(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (quad < uniforms.quads) {
    output[quad] = distribute(draw(quad));
  }
}
