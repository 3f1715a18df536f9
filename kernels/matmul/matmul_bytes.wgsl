// matmul_bytes.wgsl: an operand stored as bytes, four in a word, the first one in its lowest eight bits, where the rows of
// an operand are rows of a table of bytes. A template: $X is A or B. Takes the place of matmul_floats.wgsl.
//
// Bindings    0 a or 1 b (u8, filled up to whole words) read
// Launch      none of its own: that of the matmul kernel
// Cost        a quarter of the bytes of f32
// Accuracy    the scale in two parts, as in kernels/moving/bytes.wgsl: the same numbers as there
// Reference   lib/ops/moving/bytes.ts

override SCALE_OF_$X: f32 = 1.0;
override REST_OF_$X: f32 = 0.0;

@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<u32>;

// each once of NUMBERS
fn stored$X(index: u32) -> f32 {
  let byte = f32(extractBits(elementsOf$X[index / 4u], 8u * (index % 4u), 8u));
  return fma(byte, SCALE_OF_$X, byte * REST_OF_$X);
}
// end once
// each once of QUADS
fn storedQuad$X(quad: u32) -> vec4f {
  let bytes = vec4f((vec4u(elementsOf$X[quad]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu));
  return fma(bytes, vec4f(SCALE_OF_$X), bytes * REST_OF_$X);
}
// end once
