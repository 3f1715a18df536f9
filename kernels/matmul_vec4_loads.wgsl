// matmul_vec4_loads.wgsl: how the matmul kernels read A and B and write C where every contiguous axis is a multiple of
// 4: one 16-byte load or store in place of four of 4 bytes, so that 16 lanes fetch 256 contiguous bytes. Joined behind
// matmul_common.wgsl; matmul_scalar_loads.wgsl is its twin for other sizes.
//
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul.ts

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

// Loaded from the edge and dropped where it lies beyond: branches take software adapters minutes to compile.
fn loadA(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let stored = min(row, rows - 1u);
  let quad = a[(start + tableRowA(stored) * columns + min(column, columns - 4u)) / 4u];
  let picked = select(quad, vec4f(nanValue(quad.x)), isMissingA(stored));
  return select(vec4f(0.0), picked, row < rows && column < columns);
}

fn loadB(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let stored = min(row, rows - 1u);
  let quad = b[(start + tableRowB(stored) * columns + min(column, columns - 4u)) / 4u];
  let picked = select(quad, vec4f(nanValue(quad.x)), isMissingB(stored));
  let inside = select(vec4f(0.0), picked, row < rows && column < columns);
  // The further column of ones; what else stands beyond N is not stored.
  return select(inside, vec4f(1.0), isSum(select(column, row, TRANSPOSE_B)));
}

// Four elements from one on, a multiple of 4, which exist.
fn quadOfA(first: u32) -> vec4f {
  return a[first / 4u];
}

fn quadOfB(first: u32) -> vec4f {
  return b[first / 4u];
}

// A loop, because shader compilers inline: the stages of a fused kernel would stand here four times.
fn storeC(matrix: u32, row: u32, column: u32, quad: vec4f) {
  if (row >= size.M || column >= columnsOfC()) {
    return;
  }
  if (!PARTIAL && isSum(column)) {
    storeSum(row, quad.x);
    return;
  }
  var finished = vec4f(0.0);
  for (var lane = 0u; lane < 4u; lane++) {
    finished[lane] = finish(quad[lane], row, column + lane);
  }
  c[((matrix * size.M + row) * pitchOfC() + column) / 4u] = finished;
}

// The element of C as it is before the store: what an update in place starts from.
fn currentC(row: u32, column: u32) -> f32 {
  let index = row * size.N + column;
  return c[index / 4u][index % 4u];
}
