// matmul_quad.wgsl: C = op(A) · op(B), 16 x 4 elements of C an invocation and 16 x 16 a quad of invocations, straight from
// storage; the four load a row of A between them and pass it on by swaps. Joined behind `enable subgroups;`, common.wgsl,
// matmul_common.wgsl and matmul_vec4_loads.wgsl.
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
// Edges       beyond M and N the last row and column are computed once more and not stored; K is exact, and a multiple of 4
//             where a quad of elements lies along k
// Reference   lib/ops/matmul/matmul.ts

override LANES: u32 = 32;
// Whether no invocation sums more than BLOCK steps of k.
override IS_ONE_BLOCK: bool = false;

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

// What an invocation loads of an operand: four places of op's outer axis (m or n).
struct Operand {
  places: vec4u,
  rows: vec4u, // where the stored rows at these places begin, where rows lie along k
  missing: vec4f, // NaN at places whose row a table does not have
}

// NaN or 0, which are added to sums.
fn nanWhere(isMissing: vec4<bool>) -> vec4f {
  return bitcast<vec4f>(select(vec4u(0u), vec4u(0x7fc00000u), isMissing));
}

fn indicesOfA(rows: vec4u) -> vec4u {
  return vec4u(indexOfA(rows.x), indexOfA(rows.y), indexOfA(rows.z), indexOfA(rows.w));
}

fn indicesOfB(rows: vec4u) -> vec4u {
  return vec4u(indexOfB(rows.x), indexOfB(rows.y), indexOfB(rows.z), indexOfB(rows.w));
}

fn operandA(start: u32, row: u32) -> Operand {
  if (TRANSPOSE_A) {
    return Operand(min(row, size.M - 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(), vec4f());
  }
  let places = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(size.M - 1u));
  let indices = indicesOfA(places);
  let missing = nanWhere(vec4<bool>(PICKS_A) & (indices >= vec4u(size.tableRowsA)));
  let stored = select(indices, min(indices, vec4u(size.tableRowsA - 1u)), vec4<bool>(PICKS_A));
  return Operand(places, start + stored * size.K, missing);
}

fn operandB(start: u32, column: u32) -> Operand {
  let places = min(column, size.N - 4u) + vec4u(0u, 1u, 2u, 3u);
  if (!TRANSPOSE_B) {
    return Operand(places, vec4u(), vec4f());
  }
  let indices = indicesOfB(places);
  let missing = nanWhere(vec4<bool>(PICKS_B) & (indices >= vec4u(size.tableRowsB)));
  let stored = select(indices, min(indices, vec4u(size.tableRowsB - 1u)), vec4<bool>(PICKS_B));
  return Operand(places, start + stored * size.K, missing);
}

// One step of k where rows are steps of k. A row that a table does not have is noted.
fn stepOfA(operand: ptr<function, Operand>, start: u32, k: u32) -> vec4f {
  var row = indexOfA(k);
  if (PICKS_A) {
    (*operand).missing += nanWhere(vec4<bool>(row >= size.tableRowsA));
    row = min(row, size.tableRowsA - 1u);
  }
  return storedQuadA((start + row * size.M + (*operand).places.x) / 4u);
}

fn stepOfB(operand: ptr<function, Operand>, start: u32, k: u32) -> vec4f {
  var row = indexOfB(k);
  if (PICKS_B) {
    (*operand).missing += nanWhere(vec4<bool>(row >= size.tableRowsB));
    row = min(row, size.tableRowsB - 1u);
  }
  return storedQuadB((start + row * size.N + (*operand).places.x) / 4u);
}

// Four steps of k where rows lie along k.
fn stepsOfA(operand: Operand, k: u32) -> mat4x4f {
  let quads = (operand.rows + k) / 4u;
  return transpose(mat4x4f(
    storedQuadA(quads.x),
    storedQuadA(quads.y),
    storedQuadA(quads.z),
    storedQuadA(quads.w),
  ));
}

fn stepsOfB(operand: Operand, k: u32) -> mat4x4f {
  let quads = (operand.rows + k) / 4u;
  return transpose(mat4x4f(
    storedQuadB(quads.x),
    storedQuadB(quads.y),
    storedQuadB(quads.z),
    storedQuadB(quads.w),
  ));
}

// The columns beside those of C are ones.
fn onesOr(values: vec4f, column: u32) -> vec4f {
  return select(values, vec4f(1.0), isSum(column));
}

fn addProducts(
  sums: ptr<function, Sums>,
  ofA: ptr<function, Operand>,
  ofB: ptr<function, Operand>,
  tile: Tile,
  column: u32,
  firstK: u32,
  endK: u32,
) {
  var k = firstK;
  for (; k + 4u <= endK; k += 4u) {
    var a: mat4x4f;
    if (TRANSPOSE_A) {
      a = mat4x4f(
        stepOfA(ofA, tile.startA, k),
        stepOfA(ofA, tile.startA, k + 1u),
        stepOfA(ofA, tile.startA, k + 2u),
        stepOfA(ofA, tile.startA, k + 3u),
      );
    } else {
      a = stepsOfA(*ofA, k);
    }
    var b: mat4x4f;
    if (TRANSPOSE_B) {
      b = stepsOfB(*ofB, k);
    } else {
      b = mat4x4f(
        stepOfB(ofB, tile.startB, k),
        stepOfB(ofB, tile.startB, k + 1u),
        stepOfB(ofB, tile.startB, k + 2u),
        stepOfB(ofB, tile.startB, k + 3u),
      );
    }
    multiplyAdd(sums, a[0], onesOr(b[0], column));
    multiplyAdd(sums, a[1], onesOr(b[1], column));
    multiplyAdd(sums, a[2], onesOr(b[2], column));
    multiplyAdd(sums, a[3], onesOr(b[3], column));
  }
  if (TRANSPOSE_A && !TRANSPOSE_B) { // else K is a multiple of 4
    for (; k < endK; k++) {
      multiplyAdd(sums, stepOfA(ofA, tile.startA, k), onesOr(stepOfB(ofB, tile.startB, k), column));
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
  var ofA = operandA(tile.startA, tile.row * 16u + 4u * quad);
  var ofB = operandB(tile.startB, column);
  var totals = Sums();
  if (IS_ONE_BLOCK) {
    addProducts(&totals, &ofA, &ofB, tile, column, tile.firstK, tile.endK);
  } else {
    for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
      var sums = Sums();
      addProducts(&sums, &ofA, &ofB, tile, column, block, min(block + BLOCK, tile.endK));
      addTo(&totals, sums);
    }
  }
  if (PICKS_A) {
    multiplyAdd(&totals, ofA.missing, vec4f(1.0));
  }
  if (PICKS_B) {
    multiplyAdd(&totals, vec4f(1.0), select(ofB.missing, vec4f(0.0), isSum(column)));
  }
  var groups = array<mat4x4f, 4>(totals.own, totals.swappedX, totals.swappedY, totals.swappedDiagonal);
  beginStages();
  for (var r = 0u; r < 16u; r++) {
    let group = r / 4u;
    storeC(tile.matrix, tile.row * 16u + 4u * (quad ^ group) + r % 4u, column, groups[group][r % 4u]);
  }
}
