// matmul_floats.wgsl: an operand stored as 32-bit floats, read one by one (NUMBERS) or by fours (QUADS). A template: $X is
// A or B. matmul_half.wgsl and matmul_bytes.wgsl are its twins for other element types.
//
// Bindings    0 a or 1 b (f32) read
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul/matmul.ts

// each once of NUMBERS
@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<f32>;

fn stored$X(index: u32) -> f32 {
  return elementsOf$X[index];
}
// end once
// each once of QUADS
@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<vec4f>;

fn storedQuad$X(quad: u32) -> vec4f {
  return elementsOf$X[quad];
}
// end once
