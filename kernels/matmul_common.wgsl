// matmul_common.wgsl: what all matmul kernels have in common: sizes, batch axes, transposes, parts of K. Joined behind
// common.wgsl.
//
// Computes    C = op(A) · op(B) for each matrix of the batch; op transposes where TRANSPOSE_A / TRANSPOSE_B. The batch
//             axes of A and B are walked with strides of their own, 0 where one is repeated.
// Bindings    3 uniforms
// Launch      none of its own; workgroups stand in one row of ⌈M/tile⌉ · ⌈N/tile⌉ · batch · parts, folded at 65,535
// Split-K     With `parts` above 1 each part sums over its own kPerPart steps of K and is stored as a matrix of its own,
//             C [parts, batch, M, N]; matmul_add_parts.wgsl adds them. kPerPart is a multiple of BLOCK.
// Accuracy    Sums are formed in blocks of BLOCK steps of K, so that rounding errors grow with √BLOCK + √(K/BLOCK), not
//             with √K.
// Reference   lib/ops/matmul.ts

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
  batchSizes: array<vec4u, 2>,
  batchStridesA: array<vec4u, 2>,
  batchStridesB: array<vec4u, 2>,
}

@group(0) @binding(3) var<uniform> size: Uniforms;

// Columns of C that are computed.
fn columnsOfC() -> u32 {
  return size.N;
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
  return Tile(
    matrix < size.batch * size.parts,
    index / tilesN % tilesM,
    index % tilesN,
    matrix,
    walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesA),
    walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesB),
    firstK,
    min(firstK + size.kPerPart, size.K),
  );
}

// What becomes of an element of the product before it is stored: nothing here, or the stages of a fused kernel
// (epilogue_*.wgsl, lib/ops/fused-matmul.ts).
// begin epilogue
fn finish(value: f32, row: u32, column: u32) -> f32 {
  return value;
}
// end epilogue
