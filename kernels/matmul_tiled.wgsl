// matmul_tiled.wgsl: C = op(A) · op(B), one 64 x 64 tile of C a workgroup. Joined behind common.wgsl,
// matmul_common.wgsl and one of the two loads.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                        N
//                    ┌─────┬─────┐        Each step loads a 64 x 16 strip of A and a 16 x 64 strip of B (▒) into
//                  K │     │▒▒▒▒▒│ 16     workgroup memory, one vec4 along the contiguous axis an invocation.
//           K        ├─────┼─────┤        Invocation (x, y) keeps a 4 x 4 block of C in registers:
//      ┌──────────┐  │     │     │        rows 4y … 4y+3, columns 4x … 4x+3.
//    M │▒▒▒       │  │     │  C  │ 64
//      └──16──────┘  └─────┴─64──┘
// Launch      workgroup 256 = 16 x 16; ⌈N/64⌉ · ⌈M/64⌉ · batch workgroups in one row, folded at 65,535
// Memory      2 · 16 · 65 · 4 B = 8.1 KiB of workgroup memory (16 KiB is the guaranteed limit). Rows of 65 words put
//             the four k of a transposing store into different banks.
// Cost        a step: 2 · 64 · 64 · 16 flop for 2 · 64 · 16 · 4 B read: 16 flop/B from storage, so compute-bound above
//             a device's flop : byte ratio of 16; from workgroup memory 32 B for 32 flop an invocation
// Accuracy    sums are formed in blocks of 256 k, so that rounding errors grow with √256 + √(K/256), not with √K
// Edges       loads beyond M, N, K give 0, stores are guarded; every barrier is in uniform control flow
// Source      Volkov & Demmel 2008 (register tiles); Boehm 2022, "How to optimize a CUDA matmul kernel", step 6
// Reference   lib/ops/matmul.ts
// Variants    matmul_scalar_loads.wgsl for sizes of any remainder; matmul_vec4_loads.wgsl for contiguous axes that are
//             multiples of 4

const TILE = 64u;
const DEPTH = 16u;
const PITCH = 65u;
const BLOCK = 256u;

var<workgroup> tileA: array<f32, 1040>; // [DEPTH][PITCH]: a[m, k] at k · PITCH + m
var<workgroup> tileB: array<f32, 1040>; // [DEPTH][PITCH]: b[k, n] at k · PITCH + n

// Four consecutive elements along the tile axis (of one k), and along k (of one place on the tile axis).
fn putAlongTileA(k: u32, place: u32, quad: vec4f) {
  let at = k * PITCH + place;
  tileA[at] = quad.x; tileA[at + 1u] = quad.y; tileA[at + 2u] = quad.z; tileA[at + 3u] = quad.w;
}
fn putAlongKA(k: u32, place: u32, quad: vec4f) {
  let at = k * PITCH + place;
  tileA[at] = quad.x; tileA[at + PITCH] = quad.y; tileA[at + 2u * PITCH] = quad.z; tileA[at + 3u * PITCH] = quad.w;
}
fn putAlongTileB(k: u32, place: u32, quad: vec4f) {
  let at = k * PITCH + place;
  tileB[at] = quad.x; tileB[at + 1u] = quad.y; tileB[at + 2u] = quad.z; tileB[at + 3u] = quad.w;
}
fn putAlongKB(k: u32, place: u32, quad: vec4f) {
  let at = k * PITCH + place;
  tileB[at] = quad.x; tileB[at + PITCH] = quad.y; tileB[at + 2u * PITCH] = quad.z; tileB[at + 3u * PITCH] = quad.w;
}

@compute @workgroup_size(256)
fn matmulTiled(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = workgroupIndex(workgroupId, workgroups);
  let tilesN = (size.N + TILE - 1u) / TILE;
  let tilesM = (size.M + TILE - 1u) / TILE;
  let batch = tile / (tilesM * tilesN);
  if (batch >= size.batch) {
    return; // the same for the whole workgroup
  }
  let tileRow = (tile / tilesN) % tilesM * TILE;
  let tileColumn = tile % tilesN * TILE;
  let startA = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesA);
  let startB = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesB);

  // Which vec4 of each strip this invocation loads: 64 places x 4 quads along k, or 16 k x 16 quads along the tile.
  let placeOfK = lane / 4u;
  let kOfK = lane % 4u * 4u;
  let kOfTile = lane / 16u;
  let placeOfTile = lane % 16u * 4u;

  let row = lane / 16u * 4u;
  let column = lane % 16u * 4u;
  var c0 = vec4f(0.0);
  var c1 = vec4f(0.0);
  var c2 = vec4f(0.0);
  var c3 = vec4f(0.0);
  // Sums of up to 256 k, each added to c once.
  var s0 = vec4f(0.0);
  var s1 = vec4f(0.0);
  var s2 = vec4f(0.0);
  var s3 = vec4f(0.0);

  for (var k0 = 0u; k0 < size.K; k0 += DEPTH) {
    if (TRANSPOSE_A) {
      putAlongTileA(kOfTile, placeOfTile, loadA(startA, k0 + kOfTile, tileRow + placeOfTile, size.K, size.M));
    } else {
      putAlongKA(kOfK, placeOfK, loadA(startA, tileRow + placeOfK, k0 + kOfK, size.M, size.K));
    }
    if (TRANSPOSE_B) {
      putAlongKB(kOfK, placeOfK, loadB(startB, tileColumn + placeOfK, k0 + kOfK, size.N, size.K));
    } else {
      putAlongTileB(kOfTile, placeOfTile, loadB(startB, k0 + kOfTile, tileColumn + placeOfTile, size.K, size.N));
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let atA = k * PITCH + row;
      let atB = k * PITCH + column;
      let b4 = vec4f(tileB[atB], tileB[atB + 1u], tileB[atB + 2u], tileB[atB + 3u]);
      s0 += tileA[atA] * b4;
      s1 += tileA[atA + 1u] * b4;
      s2 += tileA[atA + 2u] * b4;
      s3 += tileA[atA + 3u] * b4;
    }
    workgroupBarrier(); // the next step overwrites the strips that slower invocations still read
    if (k0 % BLOCK == BLOCK - DEPTH || k0 + DEPTH >= size.K) {
      c0 += s0;
      c1 += s1;
      c2 += s2;
      c3 += s3;
      s0 = vec4f(0.0);
      s1 = vec4f(0.0);
      s2 = vec4f(0.0);
      s3 = vec4f(0.0);
    }
  }
  var rows = array<vec4f, 4>(c0, c1, c2, c3);
  for (var r = 0u; r < 4u; r++) {
    storeC(batch, tileRow + row + r, tileColumn + column, rows[r]);
  }
}
