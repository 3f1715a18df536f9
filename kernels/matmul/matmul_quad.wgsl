// matmul_quad.wgsl: C = op(A) · op(B), 16 x 4 elements of C an invocation and 16 x 16 a quad of invocations, or SIDE² times as
// many and 8 rows more, straight from storage; the four load a row of A between them and pass it on by swaps. Joined behind
// `enable subgroups;`, common.wgsl, matmul_common.wgsl, for A and for B matmul_quad_loads.wgsl, and matmul_stores.wgsl. A
// template: lib/graph/template.ts fills in the block `tile` and repeats the lines between `each` and `end`.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                       n … n+15
//                    ┌──┬──┬──┬──┐     Invocation q of the quad loads, for each k, rows 4q … 4q+3 of A and columns
//                  k │0 │1 │2 │3 │     4q … 4q+3 of B. By three swaps it sees the rows of the others: after swap g those
//            k       ├──┼──┼──┼──┤     of invocation q ^ g, so that its 16 sums are in another order than its
//      m   ┌──┐      │  │  │  │  │     neighbours': sum r is that of row r ^ 4q. A swap is one shuffle of a register,
//      …   │q │      │  │  │  │  │ 16  where a broadcast takes SwiftShader half a dozen instructions.
//      m+15└──┘      └──┴──┴──┴──┘
//             With SIDE = 2 there are two such blocks of rows, 16 apart, and two of columns, 4 · LANES apart. With HALVES = 1
//             there are 8 rows more below: invocations 2p and 2p + 1 load the same four of them, and have two each.
// Launch      workgroup LANES x 1; ⌈N/(4 · SIDE · LANES)⌉ · ⌈M/(16 · SIDE + 8 · HALVES)⌉ · batch · parts workgroups in one row,
//             folded at 65,535
// Cost        a step of k, without HALVES: 128 · SIDE² flop an invocation for 2 · SIDE vec4 loads, 32 · SIDE B, and 12 · SIDE
//             swaps
// For         adapters that run on the CPU, where invocations are the lanes of SIMD registers and a load is as dear as a
//             dozen multiply-adds: SwiftShader gathers each component lane by lane. How it compiles decides the rest (12
//             instructions of x86-64 a multiply-add of a quad in all with SIDE = 2, in a turn of 25,000 that no cache of
//             decoded instructions holds; 17 with sums as variables, products of matrices and four steps a turn):
//             - Sums lie in memory, because the array is read at a place that is known at run time only. A store under the
//               mask of the lanes that take part is 17 instructions, so a turn sums 4 · FOURS steps of k first. Variables
//               would be merged under the same mask in each turn, and keep the registers from everything else.
//             - One element after the other: four products at a time would take four registers, of which there are hardly two.
//             - A loop that tests at its end: one that tests at its beginning is carried out once more than it turns. A
//               branch is always carried out, masked; a loop of no turns once.
//             - Shifts: a division by a constant is four divisions, lane by lane.
//             Rows of a table that it does not have are noted, and added as NaN in the end.
// Edges       beyond M and N the last row and column are computed once more and not stored; K is exact
// Reference   lib/ops/matmul/matmul.ts

// begin tile
const SIDE = 1u;
const HALVES = 0u; // blocks of 8 rows below those of 16, 0 or 1
const FOURS = 1u; // of steps of k in a turn, 1 or 2
// end tile

override LANES: u32 = 32;
// Whether no invocation sums more than BLOCK steps of k.
override IS_ONE_BLOCK: bool = false;
// Whether K is no multiple of 4.
override HAS_REST: bool = true;

const ROWS = 16u * SIDE + 8u * HALVES;

// Of each row four columns of each block.
alias Sums = array<vec4f, ROWS * SIDE>;

// Which row of the tile sum r of an invocation is of.
fn rowOfSum(r: u32, quad: u32) -> u32 {
  return r ^ (quad * select(2u, 4u, r < 16u * SIDE));
}

// What the four of a quad have.
fn swapped(own: vec4f) -> array<vec4f, 4> {
  return array<vec4f, 4>(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
}

// Of four columns the values at four steps each.
fn columnsOfB(own: ptr<function, FourB>, k: u32, areOnes: vec4<bool>) -> mat4x4f {
  let steps = stepsB(own, k);
  return transpose(mat4x4f(
    onesOr(steps[0], areOnes),
    onesOr(steps[1], areOnes),
    onesOr(steps[2], areOnes),
    onesOr(steps[3], areOnes),
  ));
}

// One step of k, or what is missing: four rows of A that the invocation has, four columns of B.
fn addProduct(sums: ptr<function, Sums>, i: u32, j: u32, a: vec4f, b: vec4f) {
  let rows = swapped(a);
  // each g of 4
  // each x of 4
  (*sums)[(16u * i + 4u * $g + $x) * SIDE + j] += rows[$g][$x] * b;
  // end x
  // end g
}

// The two rows of four that are an invocation's own: in a block of 8 rows two invocations load the same four.
fn halfOf(four: vec4f, quad: u32) -> vec4f {
  return vec4f(select(four.xy, four.zw, (quad & 1u) != 0u), 0.0, 0.0);
}

fn addHalf(sums: ptr<function, Sums>, j: u32, quad: u32, a: vec4f, b: vec4f) {
  let rows = swapped(halfOf(a, quad));
  // each g of 4
  // each x of 2
  (*sums)[(16u * SIDE + 2u * $g + $x) * SIDE + j] += rows[$g][$x] * b;
  // end x
  // end g
}

fn addProducts(
  sums: ptr<function, Sums>,
  // each i of SIDE
  ofA_$i: ptr<function, FourA>,
  // end i
  // each half of HALVES
  ofHalf: ptr<function, FourA>,
  // end half
  // each j of SIDE
  ofB_$j: ptr<function, FourB>,
  // end j
  quad: u32,
  column: u32,
  firstK: u32,
  endK: u32,
) {
  // each i of SIDE
  beginA(ofA_$i, firstK);
  // end i
  // each half of HALVES
  beginA(ofHalf, firstK);
  // end half
  // each j of SIDE
  beginB(ofB_$j, firstK);
  let areOnes_$j = areSums(column + $j * 4u * LANES);
  // end j
  var k = firstK;
  if (k + 4u * FOURS <= endK) {
    loop {
      // each j of SIDE
      // each f of FOURS
      let b_$j_$f = columnsOfB(ofB_$j, k + 4u * $f, areOnes_$j);
      // end f
      // end j
      // each i of SIDE
      // each f of FOURS
      let a_$i_$f = transpose(stepsA(ofA_$i, k + 4u * $f));
      // end f
      // each x of 4
      // each f of FOURS
      let rows_$i_$x_$f = swapped(a_$i_$f[$x]);
      // end f
      // each g of 4
      // each j of SIDE
      // each c of 4
      (*sums)[(16u * $i + 4u * $g + $x) * SIDE + $j][$c] += dot(rows_$i_$x_0[$g], b_$j_0[$c])
      // each once of SECONDS
        + dot(rows_$i_$x_1[$g], b_$j_1[$c])
      // end once
      ;
      // end c
      // end j
      // end g
      // end x
      // end i
      // each half of HALVES
      // each f of FOURS
      let half_$f = transpose(stepsA(ofHalf, k + 4u * $f));
      // end f
      // each x of 2
      // each f of FOURS
      let halfRows_$x_$f = swapped(select(half_$f[$x], half_$f[$x + 2], (quad & 1u) != 0u));
      // end f
      // each g of 4
      // each j of SIDE
      // each c of 4
      (*sums)[(16u * SIDE + 2u * $g + $x) * SIDE + $j][$c] += dot(halfRows_$x_0[$g], b_$j_0[$c])
      // each once of SECONDS
        + dot(halfRows_$x_1[$g], b_$j_1[$c])
      // end once
      ;
      // end c
      // end j
      // end g
      // end x
      // end half
      continuing {
        k += 4u * FOURS;
        break if k + 4u * FOURS > endK;
      }
    }
  }
  if (HAS_REST) {
    for (; k < endK; k++) {
      // each j of SIDE
      let b_$j = onesOr(stepB(ofB_$j, k), areOnes_$j);
      // end j
      // each i of SIDE
      let a_$i = stepA(ofA_$i, k);
      // each j of SIDE
      addProduct(sums, $i, $j, a_$i, b_$j);
      // end j
      // end i
      // each half of HALVES
      let half = stepA(ofHalf, k);
      // each j of SIDE
      addHalf(sums, $j, quad, half, b_$j);
      // end j
      // end half
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
    ROWS,
    4u * SIDE * LANES,
    columnsOfC(),
  );
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let quad = placeInSubgroup & 3u; // WGSL does not tie it to `lane`
  let tileRow = tile.row * ROWS;
  let column = (tile.column * SIDE * LANES + lane) * 4u;
  // each i of SIDE
  var ofA_$i = fourA(tile.startA, tileRow + 16u * $i + 4u * quad);
  // end i
  // each half of HALVES
  var ofHalf = fourA(tile.startA, tileRow + 16u * SIDE + 4u * (quad >> 1u));
  // end half
  // each j of SIDE
  var ofB_$j = fourB(tile.startB, column + $j * 4u * LANES);
  // end j
  var totals = Sums();
  if (IS_ONE_BLOCK) {
    addProducts(
      &totals,
      // each i of SIDE
      &ofA_$i,
      // end i
      // each half of HALVES
      &ofHalf,
      // end half
      // each j of SIDE
      &ofB_$j,
      // end j
      quad,
      column,
      tile.firstK,
      tile.endK,
    );
  } else {
    for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
      var sums = Sums();
      addProducts(
        &sums,
        // each i of SIDE
        &ofA_$i,
        // end i
        // each half of HALVES
        &ofHalf,
        // end half
        // each j of SIDE
        &ofB_$j,
        // end j
        quad,
        column,
        block,
        min(block + BLOCK, tile.endK),
      );
      for (var r = 0u; r < ROWS * SIDE; r++) {
        totals[r] += sums[r];
      }
    }
  }
  if (PICKS_A) {
    // each i of SIDE
    // each j of SIDE
    addProduct(&totals, $i, $j, missingA(ofA_$i), vec4f(1.0));
    // end j
    // end i
    // each half of HALVES
    // each j of SIDE
    addHalf(&totals, $j, quad, missingA(ofHalf), vec4f(1.0));
    // end j
    // end half
  }
  // each j of SIDE
  let missing_$j = select(missingB(ofB_$j), vec4f(0.0), areSums(column + $j * 4u * LANES));
  // end j
  beginStages();
  var r = 0u;
  loop {
    let row = tileRow + rowOfSum(r, quad);
    // each j of SIDE
    storeQuad(tile.matrix, row, column + $j * 4u * LANES, totals[r * SIDE + $j] + missing_$j);
    // end j
    continuing {
      r++;
      break if r == ROWS;
    }
  }
  // each j of SIDE
  let at_$j = size.N - (column + $j * 4u * LANES);
  if (SUM_COLUMNS > 0u) {
    for (var r = 0u; r < select(0u, ROWS, at_$j < 4u); r++) {
      storeSum(tile.matrix, tileRow + rowOfSum(r, quad), totals[r * SIDE + $j][at_$j]);
    }
  }
  // end j
}
