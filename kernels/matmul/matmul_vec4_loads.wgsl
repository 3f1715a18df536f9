// matmul_vec4_loads.wgsl: how the matmul kernels read A and B and write C where every contiguous axis is a multiple of
// 4: one 16-byte load or store in place of four of 4 bytes, so that 16 lanes fetch 256 contiguous bytes. Joined behind
// matmul_common.wgsl; matmul_scalar_loads.wgsl is its twin for other sizes.
//
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul/matmul.ts
// Variants    blocks elements of A, elements of B: f32 here; f16 in matmul_half_a.wgsl, matmul_half_b.wgsl

// begin elements of A
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
fn storedQuadA(quad: u32) -> vec4f {
  return a[quad];
}
// end elements of A
// begin elements of B
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
fn storedQuadB(quad: u32) -> vec4f {
  return b[quad];
}
// end elements of B

// Loaded from the edge and dropped where it lies beyond: branches take software adapters minutes to compile.
fn loadA(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let stored = min(row, rows - 1u);
  let quad = storedQuadA((start + tableRowA(stored) * columns + min(column, columns - 4u)) / 4u);
  let picked = select(quad, vec4f(nanValue(quad.x)), isMissingA(stored));
  return select(vec4f(0.0), picked, row < rows && column < columns);
}

fn loadB(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let stored = min(row, rows - 1u);
  let quad = storedQuadB((start + tableRowB(stored) * columns + min(column, columns - 4u)) / 4u);
  let picked = select(quad, vec4f(nanValue(quad.x)), isMissingB(stored));
  let inside = select(vec4f(0.0), picked, row < rows && column < columns);
  // The further column of ones; what else stands beyond N is not stored.
  return select(inside, vec4f(1.0), isSum(select(column, row, TRANSPOSE_B)));
}

fn storeC(matrix: u32, row: u32, column: u32, quad: vec4f) {
  if (row >= size.M) {
    return;
  }
  if (column < pitchOfC()) {
    putC(quad, matrix * size.M + row, column);
  } else if (SUM_COLUMNS > 0u && column == size.N) {
    putSum(quad.x, row);
  }
}
