// matmul_broadcast.wgsl: C = op(A) · op(B), 8 x 4 elements of C an invocation, straight from storage; the values of A
// are loaded once for a quad of invocations and passed on by broadcasts. Joined behind `enable subgroups;`, common.wgsl,
// matmul_common.wgsl and matmul_scalar_loads.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                     n … n + 3 · LANES          Invocation `lane` keeps rows m … m+7 of the four columns
//                    ┌┐    ┌┐    ┌┐    ┌┐        n = tile + lane + j · LANES, so that neighbouring invocations read
//                  k ││    ││    ││    ││ 4      neighbouring elements of a row of B and write those of a row of C.
//            4       ├┤    ├┤    ├┤    ├┤
//      m   ┌──┐      ││    ││    ││    ││        A row of 4 elements of A (or, transposed, 4 rows) is one element an
//      …   │▒▒│      ││    ││    ││    ││ 8      invocation of a quad; quadBroadcast hands each of them to all four.
//      m+7 └──┘      └┘    └┘    └┘    └┘
// Launch      workgroup LANES x 1; ⌈N/(4 · LANES)⌉ · ⌈M/8⌉ · batch · parts workgroups in one row, folded at 65,535
// Cost        four steps of k: 2 · 8 · 4 · 4 = 256 flop an invocation for 8 loads of A and 16 of B, 96 B: 2.7 flop/B
// For         adapters that run on the CPU, where invocations are the lanes of SIMD registers, a load costs as much as a
//             dozen multiply-adds, and workgroup memory and barriers gain nothing. Where rows begin is computed outside
//             of the loop: SwiftShader's compiler moves nothing there. Four steps of k at a time: it stores and loads all
//             sums once an iteration. With B transposed neighbouring invocations read
//             elements K apart.
// Edges       beyond M and N the last row and column are computed once more and not stored; K is exact
// Reference   lib/ops/matmul/matmul.ts

override LANES: u32 = 32;

// Eight rows of four columns, named one by one: compilers keep arrays in memory.
struct Sums {
  s0: vec4f,
  s1: vec4f,
  s2: vec4f,
  s3: vec4f,
  s4: vec4f,
  s5: vec4f,
  s6: vec4f,
  s7: vec4f,
}

// The product of eight values of A, in two halves, and four of B.
fn multiplyAdd(sums: ptr<function, Sums>, upper: vec4f, lower: vec4f, b: vec4f) {
  (*sums).s0 += upper.x * b;
  (*sums).s1 += upper.y * b;
  (*sums).s2 += upper.z * b;
  (*sums).s3 += upper.w * b;
  (*sums).s4 += lower.x * b;
  (*sums).s5 += lower.y * b;
  (*sums).s6 += lower.z * b;
  (*sums).s7 += lower.w * b;
}

fn addTo(totals: ptr<function, Sums>, sums: Sums) {
  (*totals).s0 += sums.s0;
  (*totals).s1 += sums.s1;
  (*totals).s2 += sums.s2;
  (*totals).s3 += sums.s3;
  (*totals).s4 += sums.s4;
  (*totals).s5 += sums.s5;
  (*totals).s6 += sums.s6;
  (*totals).s7 += sums.s7;
}

// Four columns of op(B): of the last one in place of those beyond it. With B transposed they are stored rows.
struct Columns {
  places: vec4u,
  areSums: vec4<bool>, // of the further column of ones
  rows: vec4u, // where they begin, with B transposed
}

fn columnsOfB(start: u32, columns: vec4u) -> Columns {
  let places = min(columns, vec4u(size.N - 1u));
  if (!TRANSPOSE_B) {
    return Columns(places, columns >= vec4u(size.N), vec4u());
  }
  let rows = fourRowsOfB(start, places, size.K);
  return Columns(places, columns >= vec4u(size.N), rows);
}

// One step of k of four columns of op(B).
fn stepOfB(start: u32, k: u32, columns: Columns, N: u32) -> vec4f {
  var values = vec4f();
  if (TRANSPOSE_B) {
    values = inFourRowsOfB(columns.rows, k);
  } else {
    let row = rowOfB(start, k, N);
    let places = columns.places;
    values = vec4f(
      inRowOfB(row, places.x),
      inRowOfB(row, places.y),
      inRowOfB(row, places.z),
      inRowOfB(row, places.w),
    );
  }
  if (SUM_COLUMNS > 0u) {
    return select(values, vec4f(1.0), columns.areSums);
  }
  return values;
}

// A value of each invocation of the quad, handed to all four.
fn gatherQuad(value: f32) -> vec4f {
  return vec4f(
    quadBroadcast(value, 0u),
    quadBroadcast(value, 1u),
    quadBroadcast(value, 2u),
    quadBroadcast(value, 3u),
  );
}

// One step of k with A transposed: its row of A is one element an invocation of the quad, twice.
fn addStep(sums: ptr<function, Sums>, start: u32, k: u32, upper: u32, lower: u32, b: vec4f) {
  let row = rowOfA(start, k, size.M);
  multiplyAdd(sums, gatherQuad(inRowOfA(row, upper)), gatherQuad(inRowOfA(row, lower)), b);
}

@compute @workgroup_size(LANES)
fn matmulBroadcast(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) placeInSubgroup: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), 8u, 4u * LANES, columnsOfC());
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let M = size.M;
  let N = size.N;
  let K = size.K;
  let startA = tile.startA;
  let startB = tile.startB;
  let row = tile.row * 8u;
  let columns = vec4u(0u, LANES, 2u * LANES, 3u * LANES) + tile.column * 4u * LANES + lane;
  let place = placeInSubgroup % 4u; // WGSL does not tie it to `lane`
  let upperPlace = min(row + place, M - 1u);
  let lowerPlace = min(row + 4u + place, M - 1u);
  var upperRows = vec4u();
  var lowerRows = vec4u();
  if (!TRANSPOSE_A) {
    upperRows = fourRowsOfA(startA, edge(row, M), K);
    lowerRows = fourRowsOfA(startA, edge(row + 4u, M), K);
  }
  let ofB = columnsOfB(startB, columns);
  var totals = Sums();
  for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
    let end = min(block + BLOCK, tile.endK);
    var sums = Sums();
    var k = block;
    if (TRANSPOSE_A) {
      for (; k + 4u <= end; k += 4u) {
        addStep(&sums, startA, k, upperPlace, lowerPlace, stepOfB(startB, k, ofB, N));
        addStep(&sums, startA, k + 1u, upperPlace, lowerPlace, stepOfB(startB, k + 1u, ofB, N));
        addStep(&sums, startA, k + 2u, upperPlace, lowerPlace, stepOfB(startB, k + 2u, ofB, N));
        addStep(&sums, startA, k + 3u, upperPlace, lowerPlace, stepOfB(startB, k + 3u, ofB, N));
      }
      for (; k < end; k++) {
        addStep(&sums, startA, k, upperPlace, lowerPlace, stepOfB(startB, k, ofB, N));
      }
    } else {
      for (; k + 4u <= end; k += 4u) {
        let upper = inFourRowsOfA(upperRows, k + place);
        let lower = inFourRowsOfA(lowerRows, k + place);
        let b0 = stepOfB(startB, k, ofB, N);
        multiplyAdd(&sums, quadBroadcast(upper, 0u), quadBroadcast(lower, 0u), b0);
        let b1 = stepOfB(startB, k + 1u, ofB, N);
        multiplyAdd(&sums, quadBroadcast(upper, 1u), quadBroadcast(lower, 1u), b1);
        let b2 = stepOfB(startB, k + 2u, ofB, N);
        multiplyAdd(&sums, quadBroadcast(upper, 2u), quadBroadcast(lower, 2u), b2);
        let b3 = stepOfB(startB, k + 3u, ofB, N);
        multiplyAdd(&sums, quadBroadcast(upper, 3u), quadBroadcast(lower, 3u), b3);
      }
      for (; k < end; k++) {
        let b = stepOfB(startB, k, ofB, N);
        multiplyAdd(&sums, inFourRowsOfA(upperRows, k), inFourRowsOfA(lowerRows, k), b);
      }
    }
    addTo(&totals, sums);
  }
  var rows = array<vec4f, 8>(
    totals.s0, totals.s1, totals.s2, totals.s3, totals.s4, totals.s5, totals.s6, totals.s7,
  );
  beginStages();
  for (var r = 0u; r < 8u; r++) {
    storeInRow(tile.matrix, row + r, columns, rows[r]);
  }
}
