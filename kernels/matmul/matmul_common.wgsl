// matmul_common.wgsl: what all matmul kernels have in common: sizes, batch axes, transposes, parts of K. Joined behind
// common.wgsl and element_one.wgsl or element_four.wgsl.
//
// Computes    C = op(A) · op(B) for each matrix of the batch; op transposes where TRANSPOSE_A / TRANSPOSE_B. The batch
//             axes of A and B are walked with strides of their own, 0 where one is repeated.
// Bindings    2 c [batch, M, N] write, without stages   3 uniforms   from 6 on: those of stages
// Launch      none of its own; workgroups stand in one row of ⌈M/tile⌉ · ⌈N/tile⌉ · batch · parts, folded at 65,535
// Split-K     With `parts` above 1 each part sums over its own kPerPart steps of K and is stored as a matrix of its own,
//             C [parts, batch, M, N]; matmul_add_parts.wgsl adds them. kPerPart is a multiple of BLOCK.
// Accuracy    Sums are formed in blocks of BLOCK steps of K, so that rounding errors grow with √BLOCK + √(K/BLOCK), not
//             with √K.
// Reference   lib/ops/matmul/matmul.ts

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

const BLOCK = 256u;

struct Uniforms {
  M: u32,
  N: u32,
  K: u32,
  batch: u32,
  parts: u32,
  kPerPart: u32,
  batchRank: u32,
  tableRowsA: u32,
  tableRowsB: u32,
  batchSizes: array<vec4u, 2>,
  batchStridesA: array<vec4u, 2>,
  batchStridesB: array<vec4u, 2>,
  words: array<vec4u, WORD_QUADS>, // numbers that stages need
}

@group(0) @binding(3) var<uniform> size: Uniforms;

// Columns of C that are computed: with SUM_COLUMNS = 4, N and a quad of which the first one holds the sums over k of
// op(A), as if B had a further column of ones: the gradient of a bias beside that of its weight.
override SUM_COLUMNS: u32 = 0u;

// C holds parts of split-K, which are added and finished by matmul_add_parts.wgsl.
override PARTIAL: bool = false;

fn columnsOfC() -> u32 {
  return size.N + SUM_COLUMNS;
}

// Elements from one row of C to the next.
fn pitchOfC() -> u32 {
  return select(size.N, columnsOfC(), PARTIAL);
}

// Whether a column is not of C but the one of the sums.
fn isSum(column: u32) -> bool {
  return SUM_COLUMNS > 0u && column >= size.N;
}

// What a workgroup computes.
struct Tile {
  exists: bool, // a folded dispatch has surplus workgroups
  row: u32, // of the tile, counted in tiles
  column: u32,
  matrix: u32, // of C, which one: part · batch + place in the batch
  startA: u32, // of the batch's matrices, in elements
  startB: u32,
  firstK: u32,
  endK: u32,
}

fn tileOf(index: u32, tileRows: u32, tileColumns: u32) -> Tile {
  let tilesM = (size.M + tileRows - 1u) / tileRows;
  let tilesN = (columnsOfC() + tileColumns - 1u) / tileColumns;
  let matrix = index / (tilesM * tilesN);
  let batch = matrix % size.batch;
  let firstK = matrix / size.batch * size.kPerPart;
  var startA = 0u;
  var startB = 0u;
  if (batch > 0u) { // the walk reads all of its sizes and strides
    startA = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesA);
    startB = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesB);
  }
  return Tile(
    matrix < size.batch * size.parts,
    index / tilesN % tilesM,
    index % tilesN,
    matrix,
    startA,
    startB,
    firstK,
    min(firstK + size.kPerPart, size.K),
  );
}

// Whether the rows of A and of B are picked from tables.
override PICKS_A: bool = false;
override PICKS_B: bool = false;

// Numbers of the stored rows of A and of B: their own, or in fused kernels those that a table of indices has for them
// (matmul_rows_of_a.wgsl, matmul_rows_of_b.wgsl).
// begin rows of A
fn indexOfA(row: u32) -> u32 {
  return row;
}
// end rows of A
// begin rows of B
fn indexOfB(row: u32) -> u32 {
  return row;
}
// end rows of B

// Where a row is stored, and whether it is not: indices may be anything.
fn tableRowA(row: u32) -> u32 {
  let index = indexOfA(row);
  return select(index, min(index, size.tableRowsA - 1u), PICKS_A);
}

fn isMissingA(row: u32) -> bool {
  return PICKS_A && indexOfA(row) >= size.tableRowsA;
}

fn tableRowB(row: u32) -> u32 {
  let index = indexOfB(row);
  return select(index, min(index, size.tableRowsB - 1u), PICKS_B);
}

fn isMissingB(row: u32) -> bool {
  return PICKS_B && indexOfB(row) >= size.tableRowsB;
}

// What becomes of an element of the product, or of four in a row where they come together (Element), and of the sum over
// k of a row of op(A): C is stored, or what lib/fusion/glue.ts prints in place of this block: stages, and stores of what
// they make of it. `row` counts the rows of all matrices of C. Every invocation calls beginStages before its first value.
// begin stages
const WORD_QUADS = 1u;

@group(0) @binding(2) var<storage, read_write> c: array<Element>;

fn beginStages() {
}

fn putC(given: Element, row: u32, column: u32) {
  c[(row * pitchOfC() + column) / WIDTH] = given;
}

fn putSum(given: f32, row: u32) {
}
// end stages
