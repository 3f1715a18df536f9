// matmul_octet.wgsl: C = op(A) · op(B), 32 x 32 elements of C a subgroup of eight invocations, straight from storage; the eight
// load a strip of A between them and show it to each other by broadcasts. Joined behind `enable subgroups;`, common.wgsl,
// matmul_common.wgsl, for A and for B matmul_quad_loads.wgsl, and matmul_stores.wgsl. A template: the lines between `each`
// and `end` are repeated by lib/graph/template.ts.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                       4q … 4q+3
//                    ┌──┬──┬──┬──┐     Invocation q of the eight loads, for four k at a time, rows 4q … 4q+3 of A and columns
//              k … k+3  │q │  │  │     4q … 4q+3 of B. Its sums are all 32 rows of its own four columns: of each row the one who
//            k       ├──┼──┼──┼──┤     has loaded it broadcasts the four k, one shuffle of a register each, and they are
//      m   ┌──┐      │  │  │  │  │     multiplied by the 4 x 4 elements of B, which stay in 16 registers.
//   4q … │q │      │  │  │  │  │
//  4q+3  └──┘      └──┴──┴──┴──┘
// Launch      workgroup 8 x 1, one subgroup; ⌈N/32⌉ · ⌈M/32⌉ · batch · parts workgroups in one row, folded at 65,535
// Cost        four steps of k: 1,024 flop an invocation for 8 vec4 loads, 128 B, and 128 broadcasts
// For         adapters that run on the CPU with subgroups of eight: lavapipe, which computes with registers of eight floats.
//             It loads lane by lane behind a branch each, some 290 instructions for a vec4 of all lanes, so that a tile has
//             to be large though its 128 sums do not fit in registers: four multiply-adds are two loads and a store of a sum.
//             Larger tiles gain nothing more and take longer to compile (docs/rejected.md).
// Edges       beyond M and N the last row and column are computed once more and not stored; K is exact
// Reference   lib/ops/matmul/matmul.ts

// Whether no invocation sums more than BLOCK steps of k.
override IS_ONE_BLOCK: bool = false;
// Whether K is no multiple of 4.
override HAS_REST: bool = true;

const SIDE = 32u;

alias Sums = array<vec4f, SIDE>;

// A step of k: `a` is of the invocation's four rows, `b` of its four columns.
fn multiplyAdd(sums: ptr<function, Sums>, a: vec4f, b: vec4f) {
  // each m of 32
  (*sums)[$m] += subgroupBroadcast(a[$m % 4], $m / 4) * b;
  // end m
}

fn addProducts(
  sums: ptr<function, Sums>,
  ofA: ptr<function, FourA>,
  ofB: ptr<function, FourB>,
  column: u32,
  firstK: u32,
  endK: u32,
) {
  beginA(ofA, firstK);
  beginB(ofB, firstK);
  let areOnes = areSums(column);
  var k = firstK;
  for (; k + 4u <= endK; k += 4u) {
    let steps = stepsB(ofB, k);
    let b = mat4x4f(
      onesOr(steps[0], areOnes),
      onesOr(steps[1], areOnes),
      onesOr(steps[2], areOnes),
      onesOr(steps[3], areOnes),
    );
    let rows = transpose(stepsA(ofA, k));
    // each m of 32
    (*sums)[$m] += b * subgroupBroadcast(rows[$m % 4], $m / 4);
    // end m
  }
  if (HAS_REST) {
    for (; k < endK; k++) {
      multiplyAdd(sums, stepA(ofA, k), onesOr(stepB(ofB, k), areOnes));
    }
  }
}

@compute @workgroup_size(8)
fn matmulOctet(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), SIDE, SIDE, columnsOfC());
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let column = tile.column * SIDE + 4u * lane;
  var ofA = fourA(tile.startA, tile.row * SIDE + 4u * lane);
  var ofB = fourB(tile.startB, column);
  var totals = Sums();
  if (IS_ONE_BLOCK) {
    addProducts(&totals, &ofA, &ofB, column, tile.firstK, tile.endK);
  } else {
    for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
      var sums = Sums();
      addProducts(&sums, &ofA, &ofB, column, block, min(block + BLOCK, tile.endK));
      // each m of 32
      totals[$m] += sums[$m];
      // end m
    }
  }
  if (PICKS_A) {
    multiplyAdd(&totals, missingA(ofA), vec4f(1.0));
  }
  if (PICKS_B) {
    multiplyAdd(&totals, vec4f(1.0), select(missingB(ofB), vec4f(0.0), areSums(column)));
  }
  beginStages();
  // Counted by rows of C, not from 0: the compiler would repeat the stages 32 times, which is a quarter of a megabyte.
  let firstRow = tile.row * SIDE;
  let endRow = min(firstRow + SIDE, size.M);
  for (var row = firstRow; row < endRow; row++) {
    let sums = totals[row % SIDE];
    storeQuad(tile.matrix, row, column, sums);
    if (SUM_COLUMNS > 0u && size.N - column < 4u) {
      storeSum(tile.matrix, row, sums[size.N - column]);
    }
  }
}
