// matmul_tiled.wgsl: C = op(A) · op(B), one tile of C a workgroup, through workgroup memory. Joined behind common.wgsl,
// matmul_common.wgsl, one of the two loads and matmul_blocks.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                             TILE_COLUMNS
//                          ┌─────┬─────┐     Each step loads a strip of A and a strip of B (▒), DEPTH deep, into
//                        K │     │▒▒▒▒▒│     workgroup memory, a 4 x 4 block an invocation at a time; each strip as
//             K            ├─────┼─────┤     rows of vec4s along m or n, one row for each k.
//           ┌──────────┐   │     │     │     An invocation keeps ROW_BLOCKS x COLUMN_BLOCKS blocks of 4 x 4 elements
//  TILE_  M │▒▒▒       │   │     │  C  │     in registers. Its blocks are spread over the tile, so that the reads of
//  ROWS     │▒▒▒       │   │     │     │     neighbouring invocations are neighbours.
//           └──────────┘   └─────┴─────┘
// Launch      one workgroup a tile of ROWS · COLUMNS invocations; ⌈N/TILE_COLUMNS⌉ · ⌈M/TILE_ROWS⌉ · batch · parts
//             workgroups in one row, folded at 65,535
// Tiles                  invocation   workgroup   DEPTH   workgroup memory   flop/B from storage   from workgroup memory
//             32 x 32    4 x 4         64         16       4.6 KiB            8                    1
//             64 x 64    8 x 4        128         16       8.7 KiB           16                    1.3
//             64 x 64    8 x 8         64         16       8.7 KiB           16                    2
//             128 x 64   8 x 8        128         16      12.8 KiB           21                    2
//             128 x 128  8 x 8        256          8       8.4 KiB           32                    2
//             flop/B = TILE_ROWS · TILE_COLUMNS / (2 · (TILE_ROWS + TILE_COLUMNS)), and the same of an invocation's
//             tile. 16 KiB of workgroup memory is what WebGPU guarantees. Registers hold two sums an element and an
//             edge each of A and B: 40, 76, and 144 for 8 x 8.
// Edges       loads beyond M, N, K give 0, stores are guarded; every barrier is in uniform control flow
// Source      Volkov & Demmel 2008 (register tiles); Boehm 2022, "How to optimize a CUDA matmul kernel", step 6
// Reference   lib/ops/matmul/matmul.ts
// Variants    block tile: the sizes; matmul_scalar_loads.wgsl for sizes of any remainder; matmul_vec4_loads.wgsl for
//             contiguous axes that are multiples of 4. With parts: split-K, see matmul_common.wgsl.

// begin tile
const TILE_ROWS = 64u;
const TILE_COLUMNS = 64u;
const DEPTH = 16u;
const ROW_BLOCKS = 2u;
const COLUMN_BLOCKS = 1u;
// end tile

const BLOCKS = ROW_BLOCKS * COLUMN_BLOCKS;
// Invocations along m and along n.
const ROWS = TILE_ROWS / (4u * ROW_BLOCKS);
const COLUMNS = TILE_COLUMNS / (4u * COLUMN_BLOCKS);
// vec4s of a row of a strip, and one more: it moves the rows of a transposing store to different banks.
const PITCH_A = TILE_ROWS / 4u + 1u;
const PITCH_B = TILE_COLUMNS / 4u + 1u;
// 4 x 4 blocks in the strips.
const BLOCKS_OF_A = TILE_ROWS * DEPTH / 16u;
const BLOCKS_OF_B = TILE_COLUMNS * DEPTH / 16u;

var<workgroup> stripA: array<vec4f, DEPTH * PITCH_A>; // [DEPTH, PITCH_A]: four rows of A of one k
var<workgroup> stripB: array<vec4f, DEPTH * PITCH_B>; // [DEPTH, PITCH_B]: four columns of B of one k

// Which block an invocation loads, (place along the tile, place along k): neighbours lie along the contiguous axis.
fn placeOf(index: u32, blocksAlongTile: u32, isContiguousAlongK: bool) -> vec2u {
  if (isContiguousAlongK) {
    return vec2u(index / (DEPTH / 4u), index % (DEPTH / 4u));
  }
  return vec2u(index % blocksAlongTile, index / blocksAlongTile);
}

@compute @workgroup_size(ROWS * COLUMNS)
fn matmulTiled(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), TILE_ROWS, TILE_COLUMNS);
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let tileRow = tile.row * TILE_ROWS;
  let tileColumn = tile.column * TILE_COLUMNS;
  let row = lane / COLUMNS; // in vec4s, of this invocation's first block
  let column = lane % COLUMNS;
  var totals = array<mat4x4f, BLOCKS>();
  for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
    var sums = array<mat4x4f, BLOCKS>();
    for (var k = block; k < min(block + BLOCK, tile.endK); k += DEPTH) {
      for (var i = lane; i < BLOCKS_OF_A; i += ROWS * COLUMNS) {
        let place = placeOf(i, TILE_ROWS / 4u, !TRANSPOSE_A);
        let values = blockOfA(tile.startA, tileRow + place.x * 4u, k + place.y * 4u);
        let at = place.y * 4u * PITCH_A + place.x;
        stripA[at] = values[0];
        stripA[at + PITCH_A] = values[1];
        stripA[at + 2u * PITCH_A] = values[2];
        stripA[at + 3u * PITCH_A] = values[3];
      }
      for (var i = lane; i < BLOCKS_OF_B; i += ROWS * COLUMNS) {
        let place = placeOf(i, TILE_COLUMNS / 4u, TRANSPOSE_B);
        let values = blockOfB(tile.startB, k + place.y * 4u, tileColumn + place.x * 4u);
        let at = place.y * 4u * PITCH_B + place.x;
        stripB[at] = values[0];
        stripB[at + PITCH_B] = values[1];
        stripB[at + 2u * PITCH_B] = values[2];
        stripB[at + 3u * PITCH_B] = values[3];
      }
      workgroupBarrier();
      for (var step = 0u; step < DEPTH; step++) {
        for (var j = 0u; j < COLUMN_BLOCKS; j++) {
          let b = stripB[step * PITCH_B + column + j * COLUMNS];
          for (var i = 0u; i < ROW_BLOCKS; i++) {
            let a = stripA[step * PITCH_A + row + i * ROWS];
            sums[j * ROW_BLOCKS + i] = multiplyAdd(sums[j * ROW_BLOCKS + i], a, b);
          }
        }
      }
      workgroupBarrier(); // the next step overwrites the strips that slower invocations still read
    }
    for (var i = 0u; i < BLOCKS; i++) {
      totals[i] += sums[i];
    }
  }
  beginStages();
  for (var i = 0u; i < BLOCKS; i++) {
    let firstRow = tileRow + (row + i % ROW_BLOCKS * ROWS) * 4u;
    let firstColumn = tileColumn + (column + i / ROW_BLOCKS * COLUMNS) * 4u;
    for (var r = 0u; r < 4u; r++) {
      storeC(tile.matrix, firstRow + r, firstColumn, totals[i][r]);
    }
  }
}
