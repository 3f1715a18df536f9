// matmul_subgroup_matrix.wgsl: C = op(A) · op(B) of f16 operands by the matrix units of a GPU (WGSL's experimental subgroup
// matrices), one tile of C a workgroup. Joined behind common.wgsl, matmul_common.wgsl, matmul_stores.wgsl, and for A and for B
// matmul_loads.wgsl. A template: lib/graph/template.ts fills in the block `tile` and repeats the lines between `each` and `end`.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32 sums of products of f16; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] (f16) read   1 b [.., K, N] or [.., N, K] (f16) read   2 c [batch, M, N] write
//             3 uniforms
// Launch      one workgroup a tile of SUBGROUPS_M · SUBGROUPS_N subgroups; ⌈N/TILE_COLUMNS⌉ · ⌈M/TILE_ROWS⌉ · batch
//             workgroups in one row, folded at 65,535
//
//                          ┌──┬──┐ TILE_COLUMNS = 64     A strip of A and one of B, DEPTH deep, are loaded as vec4s and
//                        K │  │▒▒│                       stored as vec4s of f16 as they lie; a load of a matrix takes them by
//             K            ├──┼──┤                       rows or by columns. A subgroup computes a quarter
//           ┌──────────┐   │  │  │                       of the tile, ROW_BLOCKS · COLUMN_BLOCKS matrices of MATRIX_M x
//  TILE_  M │▒▒▒       │   │  │C │                       MATRIX_N sums: with 16 x 16 x 16 (NVIDIA, AMD) 2 x 2 of them,
//  ROWS     │▒▒▒       │   │  │  │                       with 8 x 8 x 8 (Apple, lavapipe) 4 x 4.
//           └──────────┘   └──┴──┘
// Tile        64 x 64 by 32: 16 flop/B of f32 from storage, 32 of f16; workgroup memory 10 KiB of strips and 1 KiB a subgroup
// Registers   1024 sums of a subgroup are 32 an invocation of 32, and 8 to 16 for operands
// Inner loop  (ROW_BLOCKS + COLUMN_BLOCKS) loads of matrices for ROW_BLOCKS · COLUMN_BLOCKS multiplications. On RDNA 3 (by the
//             listing) one is two loads of 16 B an invocation where the operand lies along k, and sixteen of 2 B across it;
//             84 registers, no spill.
// Roofline    matrix units compute 8 to 16 times what lanes do, so that loads limit it: those of strips, and of matrices from
//             workgroup memory, 1 f16 for 16 multiply-adds
// Banks       a row of a strip is 16 B longer than it need be: rows begin in other banks, and on 16 B as matrices must
// Accuracy    products of f16 are exact in f32; in which order and how the unit adds MATRIX_K of them is its own affair, and
//             so is rounding (some truncate). Chains of CHAIN = 1024 steps of k, then blocks are added to C in memory.
// Edges       as in matmul_tiled.wgsl: what lies outside is the last row or column, or 0 beyond K, and stores are guarded;
//             every barrier and every operation on matrices is in uniform control flow
// Taken       by tuning alone: nobody has promised how exact it is, so it is compared with the reference on the adapter first
// Reference   lib/ops/matmul/matmul.ts

// begin tile
const TILE_ROWS = 64u;
const TILE_COLUMNS = 64u;
const DEPTH = 32u;
const MATRIX_M = 8u;
const MATRIX_N = 8u;
const MATRIX_K = 8u;
const SUBGROUPS_M = 2u;
const SUBGROUPS_N = 2u;
const SUBGROUP = 32u; // invocations of the largest subgroup
const CHAIN = 1024u;
// end tile

const SUBGROUPS = SUBGROUPS_M * SUBGROUPS_N;
const INVOCATIONS = SUBGROUPS * SUBGROUP;
const ROW_BLOCKS = TILE_ROWS / SUBGROUPS_M / MATRIX_M;
const COLUMN_BLOCKS = TILE_COLUMNS / SUBGROUPS_N / MATRIX_N;
const ELEMENTS = MATRIX_M * MATRIX_N;

alias Left = subgroup_matrix_left<f16, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<f16, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

// Of a strip: vec4s in a row of the operand, and from one row to the next.
const WIDTH_A = select(TILE_ROWS, DEPTH, IS_A_ALONG_K) / 4u;
const WIDTH_B = select(TILE_COLUMNS, DEPTH, IS_B_ALONG_K) / 4u;
const PITCH_A = WIDTH_A + 2u;
const PITCH_B = WIDTH_B + 2u;
// vec4s from one matrix to the next: along m or n, and along k.
const PLACES_A = select(MATRIX_M / 4u, MATRIX_M * PITCH_A, IS_A_ALONG_K);
const PLACES_B = select(MATRIX_N / 4u, MATRIX_N * PITCH_B, IS_B_ALONG_K);
const STEPS_A = select(MATRIX_K * PITCH_A, MATRIX_K / 4u, IS_A_ALONG_K);
const STEPS_B = select(MATRIX_K * PITCH_B, MATRIX_K / 4u, IS_B_ALONG_K);

var<workgroup> stripA: array<vec4h, QUADS_A * DEPTH / WIDTH_A * PITCH_A>;
var<workgroup> stripB: array<vec4h, QUADS_B * DEPTH / WIDTH_B * PITCH_B>;
// A matrix of sums of each subgroup, on its way to C.
var<workgroup> results: array<f32, SUBGROUPS * ELEMENTS>;

@compute @workgroup_size(INVOCATIONS)
fn matmulSubgroupMatrix(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) subgroupId: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), TILE_ROWS, TILE_COLUMNS, size.N);
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let tileRow = tile.row * TILE_ROWS;
  let tileColumn = tile.column * TILE_COLUMNS;
  // Where subgroups are smaller than they might be there are more of them, which compute the same once more.
  let subgroup = subgroupId % SUBGROUPS;
  let row = subgroup / SUBGROUPS_N * ROW_BLOCKS; // of its first matrix, in matrices
  let column = subgroup % SUBGROUPS_N * COLUMN_BLOCKS;
  // each load of LOADS_A
  let placeA_$load = placeOfA(tile.startA, tileRow, lane, $load * INVOCATIONS);
  // end load
  // each load of LOADS_B
  let placeB_$load = placeOfB(tile.startB, tileColumn, lane, $load * INVOCATIONS);
  // end load
  let inStripA = lane / WIDTH_A * PITCH_A + lane % WIDTH_A;
  let inStripB = lane / WIDTH_B * PITCH_B + lane % WIDTH_B;
  // each once of MANY_BLOCKS
  let blocks = (tile.endK - tile.firstK + CHAIN - 1u) / CHAIN;
  for (var block = 0u; block < blocks; block++) {
  let firstK = tile.firstK + block * CHAIN;
  let endK = min(firstK + CHAIN, tile.endK);
  // end once
  // each once of ONE_BLOCK
  let firstK = tile.firstK;
  let endK = tile.endK;
  // end once
  // each i of ROW_BLOCKS
  // each j of COLUMN_BLOCKS
  var sums_$i_$j = Sums();
  // end j
  // end i
  let strips = (endK - firstK + DEPTH - 1u) / DEPTH;
  for (var strip = 0u; strip < strips; strip++) {
    let k = firstK + strip * DEPTH;
    // each load of LOADS_A
    let a_$load = quadOfA(placeA_$load, k, endK);
    // end load
    // each load of LOADS_B
    let b_$load = quadOfB(placeB_$load, k, endK);
    // end load
    workgroupBarrier(); // slower invocations still read the strips of the step before
    // each load of LOADS_A
    stripA[inStripA + $load * (INVOCATIONS / WIDTH_A * PITCH_A)] = vec4h(a_$load);
    // end load
    // each load of LOADS_B
    stripB[inStripB + $load * (INVOCATIONS / WIDTH_B * PITCH_B)] = vec4h(b_$load);
    // end load
    workgroupBarrier();
    for (var step = 0u; step < DEPTH / MATRIX_K; step++) {
      let atA = row * PLACES_A + step * STEPS_A;
      let atB = column * PLACES_B + step * STEPS_B;
      // each j of COLUMN_BLOCKS
      let b_$j = subgroupMatrixLoad<Right, $MAJOROFB>(&stripB, atB + $j * PLACES_B, PITCH_B);
      // end j
      // each i of ROW_BLOCKS
      let a_$i = subgroupMatrixLoad<Left, $MAJOROFA>(&stripA, atA + $i * PLACES_A, PITCH_A);
      // each j of COLUMN_BLOCKS
      sums_$i_$j = subgroupMatrixMultiplyAccumulate(a_$i, b_$j, sums_$i_$j);
      // end j
      // end i
    }
  }
  // each once of ONE_BLOCK
  beginStages();
  // end once
  // A loop, because compilers inline: stages would stand here once for each matrix.
  for (var i = 0u; i < ROW_BLOCKS * COLUMN_BLOCKS; i++) {
    switch i {
      // each i of ROW_BLOCKS
      // each j of COLUMN_BLOCKS
      case $i * COLUMN_BLOCKS + $j: {
        subgroupMatrixStore<row_major>(&results, subgroup * ELEMENTS, sums_$i_$j, MATRIX_N);
      }
      // end j
      // end i
      default: {
      }
    }
    workgroupBarrier();
    let firstRow = i / COLUMN_BLOCKS * MATRIX_M;
    let firstColumn = i % COLUMN_BLOCKS * MATRIX_N;
    for (var at = lane * 4u; at < SUBGROUPS * ELEMENTS; at += INVOCATIONS * 4u) {
      let owner = at / ELEMENTS;
      let inMatrix = at % ELEMENTS;
      let m = tileRow + owner / SUBGROUPS_N * (TILE_ROWS / SUBGROUPS_M) + firstRow + inMatrix / MATRIX_N;
      let n = tileColumn + owner % SUBGROUPS_N * (TILE_COLUMNS / SUBGROUPS_N) + firstColumn + inMatrix % MATRIX_N;
      let quad = vec4f(results[at], results[at + 1u], results[at + 2u], results[at + 3u]);
      // each once of ONE_BLOCK
      storeQuad(tile.matrix, m, n, quad);
      // end once
      // each once of MANY_BLOCKS
      if (block == 0u) {
        storeQuad(tile.matrix, m, n, quad);
      } else {
        addQuad(tile.matrix, m, n, quad);
      }
      // end once
    }
    workgroupBarrier();
  }
  // each once of MANY_BLOCKS
  }
  // end once
}
