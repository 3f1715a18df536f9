// matmul_quad.wgsl: C = op(A) · op(B), 16 x 4 elements of C an invocation and 16 x 16 a quad of invocations, or SIDE² times as
// many, straight from storage; the four load a row of A between them and pass it on by swaps. Joined behind
// `enable subgroups;`, common.wgsl, matmul_common.wgsl, for A and for B matmul_quad_loads.wgsl, and matmul_stores.wgsl. A
// template: lib/graph/template.ts fills in the block `side` and repeats the lines between `each` and `end`.
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
//             With SIDE = 2 there are two such blocks of rows, 16 apart, and two of columns, 4 · LANES apart.
// Launch      workgroup LANES x 1; ⌈N/(4 · SIDE · LANES)⌉ · ⌈M/(16 · SIDE)⌉ · batch · parts workgroups in one row, folded at 65,535
// Cost        a step of k: 128 · SIDE² flop an invocation for 2 · SIDE vec4 loads, 32 · SIDE B, and 12 · SIDE swaps
// For         adapters that run on the CPU, where invocations are the lanes of SIMD registers and a load is as dear as a
//             dozen multiply-adds: SwiftShader gathers each component lane by lane (6 to 20 ns, a multiply-add 0.7). Where
//             rows begin is computed outside of the loop, and rows that a table does not have are added as NaN in the end.
//             SwiftShader carries out a loop once more than it turns, so a sum of one block has no loop around it.
// Edges       beyond M and N the last row and column are computed once more and not stored; K is exact
// Reference   lib/ops/matmul/matmul.ts

// begin side
const SIDE = 1u;
// end side

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

// Four values of A and those that the others of the quad have.
struct Swapped {
  own: vec4f,
  x: vec4f,
  y: vec4f,
  diagonal: vec4f,
}

fn swapped(a: vec4f) -> Swapped {
  return Swapped(a, quadSwapX(a), quadSwapY(a), quadSwapDiagonal(a));
}

fn outerProduct(a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(a.x * b, a.y * b, a.z * b, a.w * b);
}

fn multiplyAdd(sums: ptr<function, Sums>, a: Swapped, b: vec4f) {
  (*sums).own += outerProduct(a.own, b);
  (*sums).swappedX += outerProduct(a.x, b);
  (*sums).swappedY += outerProduct(a.y, b);
  (*sums).swappedDiagonal += outerProduct(a.diagonal, b);
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

fn addProducts(
  // each i of SIDE
  // each j of SIDE
  sums_$i_$j: ptr<function, Sums>,
  // end j
  // end i
  // each i of SIDE
  ofA_$i: ptr<function, FourA>,
  // end i
  // each j of SIDE
  ofB_$j: ptr<function, FourB>,
  // end j
  column: u32,
  firstK: u32,
  endK: u32,
) {
  // each i of SIDE
  beginA(ofA_$i, firstK);
  // end i
  // each j of SIDE
  beginB(ofB_$j, firstK);
  // end j
  var k = firstK;
  for (; k + 4u <= endK; k += 4u) {
    // each i of SIDE
    let a_$i = stepsA(ofA_$i, k);
    // end i
    // each j of SIDE
    let b_$j = stepsB(ofB_$j, k);
    // end j
    // each s of 4
    // each j of SIDE
    let b_$j_$s = onesOr(b_$j[$s], column + $j * 4u * LANES);
    // end j
    // each i of SIDE
    let a_$i_$s = swapped(a_$i[$s]);
    // each j of SIDE
    multiplyAdd(sums_$i_$j, a_$i_$s, b_$j_$s);
    // end j
    // end i
    // end s
  }
  if (HAS_REST) {
    for (; k < endK; k++) {
      // each j of SIDE
      let b_$j = onesOr(stepB(ofB_$j, k), column + $j * 4u * LANES);
      // end j
      // each i of SIDE
      let a_$i = swapped(stepA(ofA_$i, k));
      // each j of SIDE
      multiplyAdd(sums_$i_$j, a_$i, b_$j);
      // end j
      // end i
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
  let tile = tileOf(
    workgroupIndex(workgroupId, workgroups),
    16u * SIDE,
    4u * SIDE * LANES,
    columnsOfC(),
  );
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let quad = placeInSubgroup % 4u; // WGSL does not tie it to `lane`
  let tileRow = tile.row * 16u * SIDE;
  let column = (tile.column * SIDE * LANES + lane) * 4u;
  // each i of SIDE
  var ofA_$i = fourA(tile.startA, tileRow + 16u * $i + 4u * quad);
  // end i
  // each j of SIDE
  var ofB_$j = fourB(tile.startB, column + $j * 4u * LANES);
  // end j
  // each i of SIDE
  // each j of SIDE
  var totals_$i_$j = Sums();
  // end j
  // end i
  if (IS_ONE_BLOCK) {
    addProducts(
      // each i of SIDE
      // each j of SIDE
      &totals_$i_$j,
      // end j
      // end i
      // each i of SIDE
      &ofA_$i,
      // end i
      // each j of SIDE
      &ofB_$j,
      // end j
      column,
      tile.firstK,
      tile.endK,
    );
  } else {
    for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
      // each i of SIDE
      // each j of SIDE
      var sums_$i_$j = Sums();
      // end j
      // end i
      addProducts(
        // each i of SIDE
        // each j of SIDE
        &sums_$i_$j,
        // end j
        // end i
        // each i of SIDE
        &ofA_$i,
        // end i
        // each j of SIDE
        &ofB_$j,
        // end j
        column,
        block,
        min(block + BLOCK, tile.endK),
      );
      // each i of SIDE
      // each j of SIDE
      addTo(&totals_$i_$j, sums_$i_$j);
      // end j
      // end i
    }
  }
  // each i of SIDE
  // each j of SIDE
  if (PICKS_A) {
    multiplyAdd(&totals_$i_$j, swapped(missingA(ofA_$i)), vec4f(1.0));
  }
  if (PICKS_B) {
    let others = areSums(column + $j * 4u * LANES);
    multiplyAdd(&totals_$i_$j, swapped(vec4f(1.0)), select(missingB(ofB_$j), vec4f(0.0), others));
  }
  // end j
  // end i
  var groups = array<mat4x4f, 4u * SIDE * SIDE>(
    // each i of SIDE
    // each j of SIDE
    totals_$i_$j.own,
    totals_$i_$j.swappedX,
    totals_$i_$j.swappedY,
    totals_$i_$j.swappedDiagonal,
    // end j
    // end i
  );
  beginStages();
  for (var r = 0u; r < 16u * SIDE * SIDE; r++) {
    let block = r / 16u;
    let group = r / 4u;
    let row = tileRow + block / SIDE * 16u + 4u * (quad ^ (group % 4u)) + r % 4u;
    let ofRow = column + block % SIDE * 4u * LANES;
    let sums = groups[group][r % 4u];
    storeQuad(tile.matrix, row, ofRow, sums);
    if (SUM_COLUMNS > 0u && size.N - ofRow < 4u) {
      storeSum(tile.matrix, row, sums[size.N - ofRow]);
    }
  }
}
