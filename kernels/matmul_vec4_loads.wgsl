// matmul_vec4_loads.wgsl: the block `loads` of matmul_tiled.wgsl for contiguous axes that are multiples of 4: one
// 16-byte load or store in place of four of 4 bytes, so that 16 lanes fetch 256 contiguous bytes.

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

fn loadA(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  if (row >= rows || column >= columns) {
    return vec4f(0.0);
  }
  return a[(start + row * columns + column) / 4u];
}

fn loadB(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  if (row >= rows || column >= columns) {
    return vec4f(0.0);
  }
  return b[(start + row * columns + column) / 4u];
}

fn storeC(batch: u32, row: u32, column: u32, quad: vec4f) {
  if (row < size.M && column < size.N) {
    c[((batch * size.M + row) * size.N + column) / 4u] = quad;
  }
}
