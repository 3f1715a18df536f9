// matmul_quad.wgsl: C = op(A) · op(B), 16 x 4 elements of C an invocation and 16 x 16 a quad of invocations, straight from
// storage; the four load a row of A between them and pass it on by swaps. Joined behind `enable subgroups;`, common.wgsl,
// matmul_common.wgsl, for A and for B matmul_quad_loads.wgsl, and matmul_stores.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                       n … n+15
//                    ┌──┬──┬──┬──┐     Invocation q of the quad loads, for each k, rows 4q … 4q+3 of A and columns
//                  k │0 │1 │2 │3 │     4q … 4q+3 of B. By three swaps it sees the rows of the others: after swap s those
//            k       ├──┼──┼──┼──┤     of invocation q ^ s, so that its 16 sums are in another order than its
//      m   ┌──┐      │  │  │  │  │     neighbours': group s has rows 4 (q ^ s) …. A swap is one shuffle of a register, where
//      …   │q │      │  │  │  │  │ 16  a broadcast takes SwiftShader half a dozen instructions.
//      m+15└──┘      └──┴──┴──┴──┘
// Launch      workgroup LANES x 1; ⌈N/(4 · LANES)⌉ · ⌈M/16⌉ · batch · parts workgroups in one row, folded at 65,535
// Cost        a step of k: 2 · 16 · 4 = 128 flop an invocation for 2 vec4 loads, 32 B, and 12 swaps: 4 flop/B
// For         adapters that run on the CPU, where invocations are the lanes of SIMD registers and a load is as dear as a
//             dozen multiply-adds: SwiftShader gathers each component lane by lane (6 to 20 ns, a multiply-add 0.7). Where
//             rows begin is computed outside of the loop, and rows that a table does not have are added as NaN in the end.
//             SwiftShader carries out a loop once more than it turns, so a sum of one block has no loop around it.
// Edges       beyond M and N the last row and column are computed once more and not stored; K is exact
// Reference   lib/ops/matmul/matmul.ts

override LANES: u32 = 32;
// Whether no invocation sums more than BLOCK steps of k.
override IS_ONE_BLOCK: bool = false;
// Whether K is no multiple of 4.
override HAS_REST: bool = true;

// Group s: the rows of A that invocation q ^ s of the quad has loaded. A column of a matrix is a row of C.
struct Sums {
  own: mat4x4f,
  swappedX: mat4x4f,
  swappedY: mat4x4f,
  swappedDiagonal: mat4x4f,
}

fn outerProduct(a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(a.x * b, a.y * b, a.z * b, a.w * b);
}

fn multiplyAdd(sums: ptr<function, Sums>, a: vec4f, b: vec4f) {
  (*sums).own += outerProduct(a, b);
  (*sums).swappedX += outerProduct(quadSwapX(a), b);
  (*sums).swappedY += outerProduct(quadSwapY(a), b);
  (*sums).swappedDiagonal += outerProduct(quadSwapDiagonal(a), b);
}

fn addTo(totals: ptr<function, Sums>, sums: Sums) {
  (*totals).own += sums.own;
  (*totals).swappedX += sums.swappedX;
  (*totals).swappedY += sums.swappedY;
  (*totals).swappedDiagonal += sums.swappedDiagonal;
}

// NaN or 0, which are added to sums.
fn nanWhere(isMissing: vec4<bool>) -> vec4f {
  return bitcast<vec4f>(select(vec4u(0u), vec4u(0x7fc00000u), isMissing));
}

// Which of four columns are not of C but those beside it, of the sums.
fn areSums(column: u32) -> vec4<bool> {
  return vec4<bool>(SUM_COLUMNS > 0u) & (column + vec4u(0u, 1u, 2u, 3u) >= vec4u(size.N));
}

// The columns beside those of C are ones.
fn onesOr(values: vec4f, column: u32) -> vec4f {
  if (SUM_COLUMNS == 0u) {
    return values;
  }
  return select(values, vec4f(1.0), areSums(column));
}

fn addProducts(sums: ptr<function, Sums>, ofA: ptr<function, FourA>, ofB: ptr<function, FourB>, column: u32, firstK: u32, endK: u32) {
  beginA(ofA, firstK);
  beginB(ofB, firstK);
  var k = firstK;
  for (; k + 4u <= endK; k += 4u) {
    let a = stepsA(ofA, k);
    let b = stepsB(ofB, k);
    multiplyAdd(sums, a[0], onesOr(b[0], column));
    multiplyAdd(sums, a[1], onesOr(b[1], column));
    multiplyAdd(sums, a[2], onesOr(b[2], column));
    multiplyAdd(sums, a[3], onesOr(b[3], column));
  }
  if (HAS_REST) {
    for (; k < endK; k++) {
      multiplyAdd(sums, stepA(ofA, k), onesOr(stepB(ofB, k), column));
    }
  }
}

@compute @workgroup_size(LANES)
fn matmulQuad(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) placeInSubgroup: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), 16u, 4u * LANES, columnsOfC());
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let quad = placeInSubgroup % 4u; // WGSL does not tie it to `lane`
  let column = (tile.column * LANES + lane) * 4u;
  var ofA = fourA(tile.startA, tile.row * 16u + 4u * quad);
  var ofB = fourB(tile.startB, column);
  var totals = Sums();
  if (IS_ONE_BLOCK) {
    addProducts(&totals, &ofA, &ofB, column, tile.firstK, tile.endK);
  } else {
    for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
      var sums = Sums();
      addProducts(&sums, &ofA, &ofB, column, block, min(block + BLOCK, tile.endK));
      addTo(&totals, sums);
    }
  }
  if (PICKS_A) {
    multiplyAdd(&totals, missingA(ofA), vec4f(1.0));
  }
  if (PICKS_B) {
    multiplyAdd(&totals, vec4f(1.0), select(missingB(ofB), vec4f(0.0), areSums(column)));
  }
  var groups = array<mat4x4f, 4>(totals.own, totals.swappedX, totals.swappedY, totals.swappedDiagonal);
  beginStages();
  for (var r = 0u; r < 16u; r++) {
    let group = r / 4u;
    let row = tile.row * 16u + 4u * (quad ^ group) + r % 4u;
    let sums = groups[group][r % 4u];
    storeQuad(tile.matrix, row, column, sums);
    if (SUM_COLUMNS > 0u && size.N - column < 4u) {
      storeSum(tile.matrix, row, sums[size.N - column]);
    }
  }
}
