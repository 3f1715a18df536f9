// matmul_bytes_b.wgsl: B stored as bytes, four in a word, the first one in its lowest eight bits: the block
// `elements of B` of matmul_scalar_loads.wgsl and of matmul_vec4_loads.wgsl, where the rows of B are rows of a table of bytes.
//
// Bindings    1 b (u8, filled up to whole words) read
// Launch      none of its own: that of the matmul kernel
// Cost        a quarter of the bytes of f32
// Accuracy    the scale in two parts, as in kernels/moving/bytes.wgsl: the same numbers as there
// Reference   lib/ops/moving/bytes.ts

override SCALE_OF_B: f32 = 1.0;
override REST_OF_B: f32 = 0.0;

@group(0) @binding(1) var<storage, read> b: array<u32>;

fn storedB(index: u32) -> f32 {
  let byte = f32(extractBits(b[index / 4u], 8u * (index % 4u), 8u));
  return fma(byte, SCALE_OF_B, byte * REST_OF_B);
}

fn storedQuadB(quad: u32) -> vec4f {
  let bytes = vec4f((vec4u(b[quad]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu));
  return fma(bytes, vec4f(SCALE_OF_B), bytes * REST_OF_B);
}
