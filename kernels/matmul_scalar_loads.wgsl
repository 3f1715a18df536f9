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
    if (isMissingA(row)) {
      return vec4f(nanValue(f32(row)));
    }
    let index = start + tableRowA(row) * columns + column;
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
    if (isMissingB(row)) {
      return vec4f(nanValue(f32(row)));
    }
    let index = start + tableRowB(row) * columns + column;
    if (column < columns) { quad.x = b[index]; }
    if (column + 1u < columns) { quad.y = b[index + 1u]; }
    if (column + 2u < columns) { quad.z = b[index + 2u]; }
    if (column + 3u < columns) { quad.w = b[index + 3u]; }
  }
  if (SUM_COLUMNS > 0u) {
    // The further column of ones; what else stands beyond N is not stored.
    let n = select(column + vec4u(0u, 1u, 2u, 3u), vec4u(row), TRANSPOSE_B);
    quad = select(quad, vec4f(1.0), n >= vec4u(size.N));
  }
  return quad;
}

// One element of op(A) or op(B). Beyond M and N it is whatever stands there, or what WebGPU gives beyond a buffer's end.
fn elementA(start: u32, m: u32, k: u32) -> f32 {
  let row = select(m, k, TRANSPOSE_A);
  let value = a[start + tableRowA(row) * select(size.K, size.M, TRANSPOSE_A) + select(k, m, TRANSPOSE_A)];
  return select(value, nanValue(value), isMissingA(row));
}

fn elementB(start: u32, k: u32, n: u32) -> f32 {
  if (isSum(n)) {
    return 1.0;
  }
  let row = select(k, n, TRANSPOSE_B);
  let value = b[start + tableRowB(row) * select(size.N, size.K, TRANSPOSE_B) + select(n, k, TRANSPOSE_B)];
  return select(value, nanValue(value), isMissingB(row));
}

fn storeElement(matrix: u32, row: u32, column: u32, value: f32) {
  if (row >= size.M || column >= columnsOfC()) {
    return;
  }
  if (PARTIAL || !isSum(column)) {
    c[(matrix * size.M + row) * pitchOfC() + column] = finish(value, row, column);
  } else if (column == size.N) {
    storeSum(row, value);
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
  return c[row * size.N + column];
}
