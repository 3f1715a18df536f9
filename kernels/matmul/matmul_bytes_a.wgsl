// matmul_bytes_a.wgsl: A stored as bytes, four in a word, the first one in its lowest eight bits: the block
// `elements of A` of matmul_scalar_loads.wgsl and of matmul_vec4_loads.wgsl, where the rows of A are rows of a table of bytes.
//
// Bindings    0 a (u8, filled up to whole words) read
// Launch      none of its own: that of the matmul kernel
// Cost        a quarter of the bytes of f32
// Accuracy    the scale in two parts, as in kernels/moving/bytes.wgsl: the same numbers as there
// Reference   lib/ops/moving/bytes.ts

override SCALE_OF_A: f32 = 1.0;
override REST_OF_A: f32 = 0.0;

@group(0) @binding(0) var<storage, read> a: array<u32>;

fn storedA(index: u32) -> f32 {
  let byte = f32(extractBits(a[index / 4u], 8u * (index % 4u), 8u));
  return fma(byte, SCALE_OF_A, byte * REST_OF_A);
}

fn storedQuadA(quad: u32) -> vec4f {
  let bytes = vec4f((vec4u(a[quad]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu));
  return fma(bytes, vec4f(SCALE_OF_A), bytes * REST_OF_A);
}
