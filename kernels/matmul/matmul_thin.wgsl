// matmul_thin.wgsl: C = op(A) · op(B) where one of M and N is small: a thin operand of a few rows (or columns) against a
// thick one, K split inside the workgroup. Joined behind common.wgsl, element_one.wgsl, matmul_common.wgsl and
// matmul_loads.wgsl of the thick operand. A template: $T is the thick operand, A or B, and $S the thin one.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//             A workgroup computes TILE_$T places of the thick operand by THIN of the thin one. An invocation loads four
//             vec4s of the thick operand at each step, which are a block of 4 places x 4 steps of k in either layout, turns
//             it in registers, and keeps THIN sums for each of the 4 places. SLICES invocations share their places, and
//             each has a slice of k: neighbours are neighbours along the operand's contiguous axis. Their sums are added
//             in order through workgroup memory.
// Launch      workgroup 256; ⌈thick/TILE⌉ · ⌈thin/THIN⌉ · batch · parts tiles in one row, folded at 65,535; fewer workgroups
//             take a tile each and then others, and one alone computes all of a small product
// Memory      4.1 KiB of workgroup memory: [SLICES, TILE + 1] sums; the odd pitch keeps the stores in different banks
// Cost        2 · THIN flop for each 4 B of the thick operand, which is read once: bound by bandwidth for THIN up to 4, with
//             four vec4 loads of an invocation under way. The thin operand is read THIN · SLICES · 4 numbers a step, from the
//             caches: as vec4s where both lie along k, else one by one.
// Registers   4 · THIN sums, 16 of the block, 12 of places
// Accuracy    chains of K/SLICES steps; a part of split-K is no longer than 1024 · SLICES
// Edges       as matmul_loads.wgsl has them; stores are guarded; every barrier is in uniform control flow
// Reference   lib/ops/matmul/matmul.ts

// begin thin
const THIN = 4u;
const SLICES = 16u;
const DEPTH = 64u;
// end thin

const INVOCATIONS = 256u;
const PITCH = TILE_$T + 1u;

var<workgroup> partialSums: array<f32, $SUMS>; // [SLICES, PITCH]

// Steps of k of a place of the thin operand, 0 beyond `end`. It is read one by one, or at once where both lie along k.
// each once of THIN_NUMBERS
fn thinNumber(start: u32, place: u32, k: u32) -> f32 {
  let outer = min(place, size.$INNER - 1u);
  let inner = min(k, size.K - 1u);
  if (IS_$S_ALONG_K) {
    return orNan(vec4f(stored$S(start + tableRow$S(outer) * size.K + inner)), isMissing$S(outer)).x;
  }
  return orNan(vec4f(stored$S(start + tableRow$S(inner) * size.$INNER + outer)), isMissing$S(inner)).x;
}

fn thinQuad(start: u32, place: u32, ks: vec4u, end: u32) -> vec4f {
  let isInside = ks < vec4u(end);
  // each sums of THIN_SUMS
  if (place >= size.N) { // the column of ones behind those of B
    return vec4f(isInside);
  }
  // end sums
  return orZero(
    vec4f(
      thinNumber(start, place, ks.x),
      thinNumber(start, place, ks.y),
      thinNumber(start, place, ks.z),
      thinNumber(start, place, ks.w),
    ),
    isInside,
  );
}
// end once
// each once of THIN_QUADS
fn thinQuad(start: u32, place: u32, ks: vec4u, end: u32) -> vec4f {
  let row = min(place, size.$INNER - 1u);
  let quad = storedQuad$S((start + tableRow$S(row) * size.K + min(ks.x, size.K - 4u)) / 4u);
  return orZero(orNan(quad, isMissing$S(row)), vec4<bool>(ks.x < end));
}
// end once

// The sum of a place of each operand; beyond those of B is the one of ones.
fn storeSumOf(matrix: u32, thick: u32, thin: u32, sum: f32) {
  let row = $ROW;
  let column = $COLUMN;
  if (row >= size.M) {
    return;
  }
  if (column < size.N || (PARTIAL && column < columnsOfC())) {
    putC(sum, rowOfC(matrix, row), column);
  } else if (SUM_COLUMNS > 0u && column == size.N) {
    putSum(sum, rowOfC(matrix, row));
  }
}

@compute @workgroup_size(256)
fn matmulThin(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let count = workgroups.x * workgroups.y;
  let slice = select(lane / QUADS_$T, lane % SLICES, IS_$T_ALONG_K);
  // The four places of an invocation in its tile.
  let places = select(
    lane % QUADS_$T * 4u + vec4u(0u, 1u, 2u, 3u),
    lane / SLICES + QUADS_$T * vec4u(0u, 1u, 2u, 3u),
    vec4<bool>(IS_$T_ALONG_K),
  );
  let turns = (size.tiles + count - 1u) / count;
  beginStages();
  for (var turn = 0u; turn < turns; turn++) {
    let tile = tileOf(turn * count + workgroupIndex(workgroupId, workgroups), $ROWS, $COLUMNS, $COUNT);
    if (!tile.exists) {
      return; // the same for the whole workgroup
    }
    let thick = tile.$THICK * TILE_$T;
    let thin = tile.$THIN * THIN;
    // each load of 4
    let place_$load = placeOf$T(tile.start$T, thick, lane, $load * INVOCATIONS);
    // end load
    // each j of THIN
    var sums_$j = vec4f();
    // end j
    let steps = (tile.endK - tile.firstK + DEPTH - 1u) / DEPTH;
    for (var step = 0u; step < steps; step++) {
      let k = tile.firstK + step * DEPTH;
      // each load of 4
      let quad_$load = quadOf$T(place_$load, k, tile.endK);
      // end load
      // Four steps of k, each of the four places.
      var block = mat4x4f(quad_0, quad_1, quad_2, quad_3);
      var ks = k + slice + vec4u(0u, SLICES, 2u * SLICES, 3u * SLICES);
      if (IS_$T_ALONG_K) {
        block = transpose(block);
        ks = k + 4u * slice + vec4u(0u, 1u, 2u, 3u);
      }
      // each once of THICK_SUMS
      let areSums = thick + places == vec4u(size.N);
      // each s of 4
      block[$s] = select(block[$s], vec4f(f32(ks[$s] < tile.endK)), areSums);
      // end s
      // end once
      // each j of THIN
      let thin_$j = thinQuad(tile.start$S, thin + $j, ks, tile.endK);
      sums_$j = sums_$j + thin_$j.x * block[0] + thin_$j.y * block[1] + thin_$j.z * block[2] + thin_$j.w * block[3];
      // end j
    }
    for (var j = 0u; j < THIN; j++) {
      var sums = vec4f();
      switch j {
        // each j of THIN
        case $j: {
          sums = sums_$j;
        }
        // end j
        default: {
        }
      }
      workgroupBarrier(); // those of the place before are read
      partialSums[slice * PITCH + places.x] = sums.x;
      partialSums[slice * PITCH + places.y] = sums.y;
      partialSums[slice * PITCH + places.z] = sums.z;
      partialSums[slice * PITCH + places.w] = sums.w;
      workgroupBarrier();
      for (var place = lane; place < TILE_$T; place += INVOCATIONS) {
        var sum = 0.0;
        for (var i = 0u; i < SLICES; i++) {
          sum += partialSums[i * PITCH + place];
        }
        storeSumOf(tile.matrix, thick + place, thin + j, sum);
      }
    }
  }
}
