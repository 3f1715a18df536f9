// matmul_half.wgsl: an operand stored as 16-bit floats, two in a word, widened where they are read. A template: $X is A or
// B. Takes the place of matmul_floats.wgsl.
//
// Bindings    0 a or 1 b (f16, filled up to whole quads) read
// Launch      none of its own: that of the matmul kernel
// Cost        half the bytes of f32; unpacking is core WGSL, so that no adapter needs a feature for it
// Reference   lib/ops/matmul/matmul.ts

// each once of NUMBERS
@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<u32>;

fn stored$X(index: u32) -> f32 {
  return unpack2x16float(elementsOf$X[index / 2u] >> (16u * (index % 2u))).x;
}
// end once
// each once of QUADS
@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<vec2u>;

fn storedQuad$X(quad: u32) -> vec4f {
  let words = elementsOf$X[quad];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
// end once
