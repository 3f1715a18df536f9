// matmul_tiled.wgsl: C = op(A) · op(B), one tile of C a workgroup, through workgroup memory. Joined behind common.wgsl,
// matmul_common.wgsl, and for A and for B matmul_strip.wgsl and matmul_loads.wgsl. A template: lib/graph/template.ts
// fills in the block `tile` and repeats the lines between `each` and `end`.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                             TILE_COLUMNS
//                          ┌─────┬─────┐     Each step loads a strip of A and a strip of B (▒), DEPTH deep, into
//                        K │     │▒▒▒▒▒│     workgroup memory: LOADS_A and LOADS_B vec4s an invocation, the same number
//             K            ├─────┼─────┤     for all, all of them under way before the barrier, and stored as they
//           ┌──────────┐   │     │     │     lie. Then an invocation multiplies ROW_BLOCKS blocks of 4 rows with
//  TILE_  M │▒▒▒       │   │     │  C  │     COLUMN_BLOCKS blocks of 4 columns, four steps of k at a time. Its sums are
//  ROWS     │▒▒▒       │   │     │     │     vec4f with names of their own: no compiler can index them at run time
//           └──────────┘   └─────┴─────┘     and put them into memory for it.
// Launch      one workgroup a tile of ROWS · COLUMNS invocations; ⌈N/TILE_COLUMNS⌉ · ⌈M/TILE_ROWS⌉ · batch · parts
//             workgroups in one row, folded at 65,535
// Tiles                  invocation   workgroup   DEPTH   workgroup memory   flop/B from storage   from workgroup memory
//             32 x 32    4 x 4         64         32       9.0 KiB            8                    1
//             64 x 32    4 x 4        128         32      13.5 KiB           11                    1
//             64 x 64    8 x 4        128         16      10.0 KiB           16                    1.3
//             64 x 64    4 x 4        256         32      18.0 KiB           16                    1
//             128 x 64   8 x 4        256         16      15.0 KiB           21                    1.3
//             for any choice: flop/B from storage = TILE_ROWS · TILE_COLUMNS / (2 · (TILE_ROWS + TILE_COLUMNS)), from
//             workgroup memory the same of an invocation's rows and columns; 16 KiB of it is what WebGPU guarantees.
// Registers   16 · ROW_BLOCKS · COLUMN_BLOCKS sums, 16 for each block of B, 4 of A, some 20 of places and addresses; 4 for
//             each load while strips are loaded, with PREFETCH all the time. 4 x 4: 60 to 89; 8 x 4: 64 to 109.
// Inner loop  64 multiply-adds of 77 to 86 instructions for 4 x 4, 128 of 145 to 179 for 8 x 4 (docs/hardware.md)
// Roofline    a GPU of 10 flop for each B of bandwidth is bound by arithmetic from 64 x 64 on. What limits it then are the
//             reads of workgroup memory: (rows + columns)/4 vec4s for rows · columns multiply-adds of an invocation, which
//             is 1 for 8 to 1 for 16; and the code around the inner loop, which DEPTH divides.
// Banks       (32 of 4 B; a vec4 is read by 8 invocations at a time.) Those share their row of A, which is one address.
//             Of B they read neighbouring blocks: neighbouring vec4s where B lies along n; where it lies along k they are
//             an odd number of vec4s apart (PITCH), which are 8 different groups of 4 banks. Stores of a strip along k meet
//             in pairs, which costs one turn for each of the few stores of a step.
// Accuracy    One chain of sums for up to CHAIN = 1024 steps of k. Beyond it (MANY_BLOCKS) each block's sums are added to
//             C in memory, 8 B for 2,048 flop: the error grows with √1024 + √(K/1024), not with √K.
// Edges       loads beyond M and N are of the last row and column, whose products are not stored; those beyond K give 0 in
//             both strips; stores are guarded; every barrier is in uniform control flow
// Sums        With SUMS, for A along m: the sums over k of op(A), by the workgroups of the first tile column. An invocation
//             adds the vec4s of A that it loads, one vec4 addition a load; in the end those of the same rows meet in
//             stripA.
// Source      Volkov & Demmel 2008 (register tiles); Boehm 2022, "How to optimize a CUDA matmul kernel", step 6
// Reference   lib/ops/matmul/matmul.ts
// Variants    by block tile; with parts: split-K, see matmul_common.wgsl

// begin tile
const TILE_ROWS = 64u;
const TILE_COLUMNS = 64u;
const DEPTH = 16u;
const ROW_BLOCKS = 2u;
const COLUMN_BLOCKS = 1u;
const CHAIN = 1024u;
// end tile

// Invocations along m and along n.
const ROWS = TILE_ROWS / (4u * ROW_BLOCKS);
const COLUMNS = TILE_COLUMNS / (4u * COLUMN_BLOCKS);
const INVOCATIONS = ROWS * COLUMNS;

// Four columns of a row of C more by four steps of k, of which b holds one a column.
fn multiplyAdd(sums: vec4f, a: vec4f, b: mat4x4f) -> vec4f {
  return sums + a.x * b[0] + a.y * b[1] + a.z * b[2] + a.w * b[3];
}

@compute @workgroup_size(INVOCATIONS)
fn matmulTiled(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), TILE_ROWS, TILE_COLUMNS, size.N);
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let tileRow = tile.row * TILE_ROWS;
  let tileColumn = tile.column * TILE_COLUMNS;
  let row = lane / COLUMNS; // of this invocation's first block, in blocks
  let column = lane % COLUMNS;
  // each load of LOADS_A
  let placeA_$load = placeOfA(tile.startA, tileRow, lane, $load * INVOCATIONS);
  // end load
  // each load of LOADS_B
  let placeB_$load = placeOfB(tile.startB, tileColumn, lane, $load * INVOCATIONS);
  // end load
  let inStripA = placeInStripA(lane);
  let inStripB = placeInStripB(lane);
  // each once of SUMS
  var sumsOfA = vec4f();
  // end once
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
  // each r of 4
  var sums_$i_$j_$r = vec4f();
  // end r
  // end j
  // end i
  // each once of SUMS
  var blockOfSums = vec4f();
  // end once
  // each once of PREFETCH
  // each load of LOADS_A
  var a_$load = quadOfA(placeA_$load, firstK, endK);
  // end load
  // each load of LOADS_B
  var b_$load = quadOfB(placeB_$load, firstK, endK);
  // end load
  // end once
  let strips = (endK - firstK + DEPTH - 1u) / DEPTH;
  for (var strip = 0u; strip < strips; strip++) {
    let k = firstK + strip * DEPTH;
    // each once of NO_PREFETCH
    // each load of LOADS_A
    let a_$load = quadOfA(placeA_$load, k, endK);
    // end load
    // each load of LOADS_B
    let b_$load = quadOfB(placeB_$load, k, endK);
    // end load
    // end once
    workgroupBarrier(); // slower invocations still read the strips of the step before
    // each load of LOADS_A
    stripA[inStripA + $load * LOAD_A] = a_$load;
    // end load
    // each load of LOADS_B
    stripB[inStripB + $load * LOAD_B] = b_$load;
    // end load
    // each once of SUMS
    // each load of LOADS_A
    blockOfSums += a_$load;
    // end load
    // end once
    workgroupBarrier();
    // each once of PREFETCH
    // each load of LOADS_A
    a_$load = quadOfA(placeA_$load, k + DEPTH, endK);
    // end load
    // each load of LOADS_B
    b_$load = quadOfB(placeB_$load, k + DEPTH, endK);
    // end load
    // end once
    var atA = row * BLOCK_A;
    var atB = column * BLOCK_B;
    for (var step = 0u; step < DEPTH / 4u; step++) {
      // each rows of A_ALONG_K
      // each j of COLUMN_BLOCKS
      let b_$j = blockOfStripB(atB + $j * COLUMNS * BLOCK_B);
      // end j
      // each i of ROW_BLOCKS
      // each r of 4
      let a_$i_$r = partOfStripA(atA + $i * ROWS * BLOCK_A, $r);
      // each j of COLUMN_BLOCKS
      sums_$i_$j_$r = multiplyAdd(sums_$i_$j_$r, a_$i_$r, b_$j);
      // end j
      // end r
      // end i
      // end rows
      // each steps of A_ACROSS_K
      // each block of B_ALONG_K
      // each j of COLUMN_BLOCKS
      let b_$j = blockOfStripB(atB + $j * COLUMNS * BLOCK_B);
      // end j
      // end block
      // each s of 4
      // each j of COLUMN_BLOCKS
      // each block of B_ALONG_K
      let b_$j_$s = b_$j[$s];
      // end block
      // each part of B_ACROSS_K
      let b_$j_$s = partOfStripB(atB + $j * COLUMNS * BLOCK_B, $s);
      // end part
      // end j
      // each i of ROW_BLOCKS
      let a_$i_$s = partOfStripA(atA + $i * ROWS * BLOCK_A, $s);
      // each j of COLUMN_BLOCKS
      // each r of 4
      sums_$i_$j_$r += a_$i_$s[$r] * b_$j_$s;
      // end r
      // end j
      // end i
      // end s
      // end steps
      atA += STEP_A;
      atB += STEP_B;
    }
  }
  // each once of SUMS
  sumsOfA += blockOfSums;
  // end once
  // each once of ONE_BLOCK
  beginStages();
  // end once
  // A loop, because compilers inline: stages would stand here once for each row. It chooses by a switch, not by an index.
  for (var i = 0u; i < 4u * ROW_BLOCKS * COLUMN_BLOCKS; i++) {
    var quad = vec4f();
    switch i {
      // each i of ROW_BLOCKS
      // each j of COLUMN_BLOCKS
      // each r of 4
      case ($i * COLUMN_BLOCKS + $j) * 4u + $r: {
        quad = sums_$i_$j_$r;
      }
      // end r
      // end j
      // end i
      default: {
      }
    }
    let m = tileRow + (row + i / (4u * COLUMN_BLOCKS) * ROWS) * 4u + i % 4u;
    let n = tileColumn + (column + i / 4u % COLUMN_BLOCKS * COLUMNS) * 4u;
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
  // each once of MANY_BLOCKS
  }
  // end once
  // each once of SUMS
  workgroupBarrier();
  stripA[lane] = sumsOfA;
  workgroupBarrier();
  if (tile.column == 0u && lane < QUADS_A) {
    var quad = vec4f();
    for (var i = 0u; i < INVOCATIONS / QUADS_A; i++) {
      quad += stripA[lane + i * QUADS_A];
    }
    for (var i = 0u; i < 4u; i++) {
      storeSum(tile.matrix, tileRow + lane * 4u + i, quad.x);
      quad = quad.yzwx;
    }
  }
  // end once
}
