// advance.wgsl: state[word] += 1, in place: the step of a random generator, or of an optimizer.
//
// Bindings    0 state read and write   1 uniforms
// Launch      one workgroup of one invocation
// Reference   lib/ops/advance.ts

struct Uniforms {
  word: u32,
}

@group(0) @binding(0) var<storage, read_write> state: array<u32>;
@group(0) @binding(1) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(1)
fn advance() {
  state[uniforms.word] += 1u;
}
