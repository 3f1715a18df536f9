// matmul_scalar_loads.wgsl: how the matmul kernels read A and B and write C, for sizes of any remainder: four elements
// at a time, each guarded on its own, or one. Joined behind matmul_common.wgsl; matmul_vec4_loads.wgsl is its twin for
// contiguous axes that are multiples of 4.
//
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul.ts

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

// Four elements from (row, column) on along a row of a matrix of rows x columns, 0 beyond its edges.
fn loadA(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  var quad = vec4f(0.0);
  if (row < rows) {
    let index = start + row * columns + column;
    if (column < columns) { quad.x = a[index]; }
    if (column + 1u < columns) { quad.y = a[index + 1u]; }
    if (column + 2u < columns) { quad.z = a[index + 2u]; }
    if (column + 3u < columns) { quad.w = a[index + 3u]; }
  }
  return quad;
}

fn loadB(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  var quad = vec4f(0.0);
  if (row < rows) {
    let index = start + row * columns + column;
    if (column < columns) { quad.x = b[index]; }
    if (column + 1u < columns) { quad.y = b[index + 1u]; }
    if (column + 2u < columns) { quad.z = b[index + 2u]; }
    if (column + 3u < columns) { quad.w = b[index + 3u]; }
  }
  return quad;
}

// One element of op(A) or op(B). Beyond M and N it is whatever stands there, or what WebGPU gives beyond a buffer's end.
fn elementA(start: u32, m: u32, k: u32) -> f32 {
  return a[start + select(m * size.K + k, k * size.M + m, TRANSPOSE_A)];
}

fn elementB(start: u32, k: u32, n: u32) -> f32 {
  return b[start + select(k * size.N + n, n * size.K + k, TRANSPOSE_B)];
}

fn storeElement(matrix: u32, row: u32, column: u32, value: f32) {
  if (row < size.M && column < columnsOfC()) {
    c[(matrix * size.M + row) * columnsOfC() + column] = finish(value, row, column);
  }
}

// A loop, because shader compilers inline: the stages of a fused kernel would stand here four times.
fn storeC(matrix: u32, row: u32, column: u32, quad: vec4f) {
  for (var lane = 0u; lane < 4u; lane++) {
    storeElement(matrix, row, column + lane, quad[lane]);
  }
}

// The element of C as it is before the store: what an update in place starts from.
fn currentC(row: u32, column: u32) -> f32 {
  return c[row * columnsOfC() + column];
}
