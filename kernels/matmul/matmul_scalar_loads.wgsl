// matmul_scalar_loads.wgsl: how the matmul kernels read A and B and write C, for sizes of any remainder: four elements
// at a time, each guarded on its own, or one. Joined behind matmul_common.wgsl; matmul_vec4_loads.wgsl is its twin for
// contiguous axes that are multiples of 4.
//
// Bindings    those of the operands: matmul_floats.wgsl, matmul_half.wgsl or matmul_bytes.wgsl, NUMBERS
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul/matmul.ts

// Four elements from (row, column) on along a row of a matrix of rows x columns, 0 beyond its edges. All four are loaded,
// from the edge where they lie beyond it, and dropped there: branches take software adapters minutes to compile.
fn loadA(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let places = column + vec4u(0u, 1u, 2u, 3u);
  let isInside = places < vec4u(select(0u, columns, row < rows));
  let at = start + tableRowA(min(row, rows - 1u)) * columns + min(places, vec4u(columns - 1u));
  let quad = orZero(vec4f(storedA(at.x), storedA(at.y), storedA(at.z), storedA(at.w)), isInside);
  return orNan(quad, row < rows && isMissingA(min(row, rows - 1u)));
}

fn loadB(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  let places = column + vec4u(0u, 1u, 2u, 3u);
  let isInside = places < vec4u(select(0u, columns, row < rows));
  let at = start + tableRowB(min(row, rows - 1u)) * columns + min(places, vec4u(columns - 1u));
  let quad = orZero(vec4f(storedB(at.x), storedB(at.y), storedB(at.z), storedB(at.w)), isInside);
  let picked = orNan(quad, row < rows && isMissingB(min(row, rows - 1u)));
  // The further column of ones; what else stands beyond N is not stored.
  let n = select(places, vec4u(row), TRANSPOSE_B);
  return select(picked, vec4f(1.0), (n >= vec4u(size.N)) & vec4<bool>(SUM_COLUMNS > 0u));
}

// Where a stored row of A or B begins, for kernels that keep it over many elements, and an element of the row. The row and
// the column must exist. A row that a table does not have is marked.
const MISSING = 0x80000000u;

fn rowOfA(start: u32, row: u32, columns: u32) -> u32 {
  if (!PICKS_A) {
    return start + row * columns;
  }
  let at = start + tableRowA(row) * columns;
  return select(at, at | MISSING, isMissingA(row));
}

fn rowOfB(start: u32, row: u32, columns: u32) -> u32 {
  if (!PICKS_B) {
    return start + row * columns;
  }
  let at = start + tableRowB(row) * columns;
  return select(at, at | MISSING, isMissingB(row));
}

fn inRowOfA(row: u32, column: u32) -> f32 {
  if (PICKS_A) {
    let value = storedA((row & ~MISSING) + column);
    return select(value, nanValue(value), row >= MISSING);
  }
  return storedA(row + column);
}

fn inRowOfB(row: u32, column: u32) -> f32 {
  if (PICKS_B) {
    let value = storedB((row & ~MISSING) + column);
    return select(value, nanValue(value), row >= MISSING);
  }
  return storedB(row + column);
}

// Four rows from one on, the last of `count` in place of those beyond it.
fn edge(row: u32, count: u32) -> vec4u {
  return min(row + vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u));
}

// Where four stored rows begin, and their elements in one column.
fn fourRowsOfA(start: u32, rows: vec4u, columns: u32) -> vec4u {
  return vec4u(
    rowOfA(start, rows.x, columns),
    rowOfA(start, rows.y, columns),
    rowOfA(start, rows.z, columns),
    rowOfA(start, rows.w, columns),
  );
}

fn inFourRowsOfA(rows: vec4u, column: u32) -> vec4f {
  return vec4f(
    inRowOfA(rows.x, column),
    inRowOfA(rows.y, column),
    inRowOfA(rows.z, column),
    inRowOfA(rows.w, column),
  );
}

fn fourRowsOfB(start: u32, rows: vec4u, columns: u32) -> vec4u {
  return vec4u(
    rowOfB(start, rows.x, columns),
    rowOfB(start, rows.y, columns),
    rowOfB(start, rows.z, columns),
    rowOfB(start, rows.w, columns),
  );
}

fn inFourRowsOfB(rows: vec4u, column: u32) -> vec4f {
  return vec4f(
    inRowOfB(rows.x, column),
    inRowOfB(rows.y, column),
    inRowOfB(rows.z, column),
    inRowOfB(rows.w, column),
  );
}

// One element of op(A), or of op(B) with its column of ones.
fn elementA(start: u32, m: u32, k: u32) -> f32 {
  if (TRANSPOSE_A) {
    return inRowOfA(rowOfA(start, k, size.M), m);
  }
  return inRowOfA(rowOfA(start, m, size.K), k);
}

fn elementB(start: u32, k: u32, n: u32) -> f32 {
  if (isSum(n)) {
    return 1.0;
  }
  if (TRANSPOSE_B) {
    return inRowOfB(rowOfB(start, n, size.K), k);
  }
  return inRowOfB(rowOfB(start, k, size.N), n);
}

fn storeElement(matrix: u32, row: u32, column: u32, value: f32) {
  if (row >= size.M) {
    return;
  }
  if (column < size.N || (PARTIAL && column < columnsOfC())) {
    putC(value, rowOfC(matrix, row), column);
  } else if (SUM_COLUMNS > 0u && column == size.N) {
    putSum(value, row);
  }
}

// Four elements of a row of C. A loop, because shader compilers inline: stages would stand here four times.
fn storeInRow(matrix: u32, row: u32, columns: vec4u, quad: vec4f) {
  if (row >= size.M) {
    return;
  }
  for (var lane = 0u; lane < 4u; lane++) {
    let column = columns[lane];
    if (column < size.N || (PARTIAL && column < columnsOfC())) {
      putC(quad[lane], rowOfC(matrix, row), column);
    } else if (SUM_COLUMNS > 0u && column == size.N) {
      putSum(quad[lane], row);
    }
  }
}

fn storeC(matrix: u32, row: u32, column: u32, quad: vec4f) {
  storeInRow(matrix, row, column + vec4u(0u, 1u, 2u, 3u), quad);
}
