// matmul_common.wgsl: what all matmul kernels have in common: sizes, batch axes, transposes, parts of K. Joined behind
// common.wgsl and element_one.wgsl or element_four.wgsl. A template: batch axes are walked where there are some, without a
// loop, each with sizes and strides read in place.
//
// Computes    C = op(A) · op(B) for each matrix of the batch; op transposes where TRANSPOSE_A / TRANSPOSE_B. The batch
//             axes of A and B are walked with strides of their own, 0 where one is repeated.
// Bindings    2 c [batch, M, N] write, without stages   3 uniforms   from 6 on: those of stages
// Launch      none of its own; workgroups stand in one row of ⌈M/tile⌉ · ⌈N/tile⌉ · batch · parts, folded at 65,535
// Split-K     With `parts` above 1 each part sums over its own kPerPart steps of K and is stored as a matrix of its own,
//             C [parts, batch, M, N]; matmul_add_parts.wgsl adds them. kPerPart is a multiple of 64.
// Accuracy    Kernels that read straight from storage form sums in blocks of BLOCK steps of K, so that rounding errors grow
//             with √BLOCK + √(K/BLOCK), not with √K; the others say what they do.
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
  tiles: u32, // of all of C's parts
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

// Which of four columns are not of C but those beside it, of the sums.
fn areSums(column: u32) -> vec4<bool> {
  return vec4<bool>(SUM_COLUMNS > 0u) & (column + vec4u(0u, 1u, 2u, 3u) >= vec4u(size.N));
}

// Four values of B: in the columns beside those of C they are ones.
fn onesOr(values: vec4f, areOnes: vec4<bool>) -> vec4f {
  if (SUM_COLUMNS == 0u) {
    return values;
  }
  return select(values, vec4f(1.0), areOnes);
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

// The tile of this number, of C with so many columns.
fn tileOf(index: u32, tileRows: u32, tileColumns: u32, columns: u32) -> Tile {
  let tilesM = (size.M + tileRows - 1u) / tileRows;
  let tilesN = (columns + tileColumns - 1u) / tileColumns;
  let matrix = index / (tilesM * tilesN);
  let batch = matrix % size.batch;
  let firstK = matrix / size.batch * size.kPerPart;
  var startA = 0u;
  var startB = 0u;
  // each once of IS_BATCH
  // Axes are counted from the innermost one, so that the outermost needs no division.
  var rest = batch;
  // each axis of INNER_AXES
  startA += rest % size.batchSizes[$axis / 4][$axis % 4] * size.batchStridesA[$axis / 4][$axis % 4];
  startB += rest % size.batchSizes[$axis / 4][$axis % 4] * size.batchStridesB[$axis / 4][$axis % 4];
  rest /= size.batchSizes[$axis / 4][$axis % 4];
  // end axis
  startA += rest * size.batchStridesA[$OUTERMOST / 4][$OUTERMOST % 4];
  startB += rest * size.batchStridesB[$OUTERMOST / 4][$OUTERMOST % 4];
  // end once
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

// A quad in which what is not inside is 0, or all is NaN: by bits, because compilers may assume that no float is NaN.
fn orZero(quad: vec4f, isInside: vec4<bool>) -> vec4f {
  return bitcast<vec4f>(select(vec4u(0u), bitcast<vec4u>(quad), isInside));
}

fn orNan(quad: vec4f, isMissing: bool) -> vec4f {
  return bitcast<vec4f>(select(bitcast<vec4u>(quad), vec4u(0x7fc00000u), isMissing));
}

// NaN or 0, which are added to sums.
fn nanWhere(isMissing: vec4<bool>) -> vec4f {
  return bitcast<vec4f>(select(vec4u(0u), vec4u(0x7fc00000u), isMissing));
}

// Which row of all of C one of C's rows is stored in. A product that computes only some rows of a result, such as a
// convolution's gradient of every other pixel, has another block here.
// begin rows
fn placedRow(row: u32) -> u32 {
  return row;
}
// end rows

// The row of all of C, or of its parts, that is a matrix's own row.
fn rowOfC(matrix: u32, row: u32) -> u32 {
  let own = matrix * size.M + row;
  if (PARTIAL) {
    return own; // matrices of parts lie side by side
  }
  return placedRow(own);
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
  c[elementIndex(row * pitchOfC() + column)] = given;
}

fn addC(given: Element, row: u32, column: u32) {
  c[elementIndex(row * pitchOfC() + column)] += given;
}

fn putSum(given: f32, row: u32) {
}
// end stages
