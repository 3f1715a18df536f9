// matmul_half_a.wgsl: A stored as 16-bit floats, two in a word, widened where they are read: the block `elements of A` of
// matmul_scalar_loads.wgsl and of matmul_vec4_loads.wgsl.
//
// Bindings    0 a (f16, filled up to whole quads) read
// Launch      none of its own: that of the matmul kernel
// Cost        half the bytes of f32; unpacking is core WGSL, so that no adapter needs a feature for it
// Reference   lib/ops/matmul/matmul.ts

@group(0) @binding(0) var<storage, read> a: array<vec2u>;

fn storedA(index: u32) -> f32 {
  return unpack2x16float(a[index / 4u][index / 2u % 2u])[index % 2u];
}

fn storedQuadA(quad: u32) -> vec4f {
  let words = a[quad];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
