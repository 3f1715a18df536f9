// matmul_vec4_loads.wgsl: how the matmul kernels read A and B and write C where every contiguous axis is a multiple of
// 4: one 16-byte load or store in place of four of 4 bytes, so that 16 lanes fetch 256 contiguous bytes. Joined behind
// matmul_common.wgsl; matmul_scalar_loads.wgsl is its twin for other sizes.
//
// Bindings    those of the operands: matmul_floats.wgsl, matmul_half.wgsl or matmul_bytes.wgsl, QUADS
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul/matmul.ts

// Loaded from the edge and dropped where it lies beyond: branches take software adapters minutes to compile.
fn loadA(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let stored = min(row, rows - 1u);
  let quad = storedQuadA((start + tableRowA(stored) * columns + min(column, columns - 4u)) / 4u);
  let picked = orNan(quad, isMissingA(stored));
  return orZero(picked, vec4<bool>(row < rows && column < columns));
}

fn loadB(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let stored = min(row, rows - 1u);
  let quad = storedQuadB((start + tableRowB(stored) * columns + min(column, columns - 4u)) / 4u);
  let picked = orNan(quad, isMissingB(stored));
  let inside = orZero(picked, vec4<bool>(row < rows && column < columns));
  // The further column of ones; what else stands beyond N is not stored.
  return select(inside, vec4f(1.0), isSum(select(column, row, TRANSPOSE_B)));
}

fn storeC(matrix: u32, row: u32, column: u32, quad: vec4f) {
  if (row >= size.M) {
    return;
  }
  if (column < pitchOfC()) {
    putC(quad, rowOfC(matrix, row), column);
  } else if (SUM_COLUMNS > 0u && column == size.N) {
    putSum(quad.x, row);
  }
}
