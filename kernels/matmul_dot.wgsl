// matmul_dot.wgsl: C = op(A) · op(B), 8 x 4 elements of C a quad of invocations, whose lanes run along k. Joined behind
// `enable subgroups;`, common.wgsl, matmul_common.wgsl, matmul_scalar_loads.wgsl and matmul_sums.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//             Invocation i of a quad multiplies the elements of k = i, i + 4, i + 8 … of 8 rows of A with those of 4
//             columns of B; the four sums of each element of C are added across the quad at the end.
// Launch      workgroup LANES = 32, LANES/4 quads that are neighbours in n; ⌈N/LANES⌉ · ⌈M/8⌉ · batch workgroups in
//             one row, folded at 65,535
// Cost        four steps of k: 2 · 8 · 4 · 4 = 256 flop a quad for 12 loads of 4 lanes: 1.3 flop/B
// For         B transposed on adapters that run on the CPU: both operands are contiguous along k, so neighbouring
//             invocations read neighbouring elements
// Edges       what stands beyond M and N is computed from whatever the loads give and never stored; K is exact
// Reference   lib/ops/matmul.ts

const LANES = 32u;

fn fourColumnsOfB(start: u32, k: u32, column: u32) -> vec4f {
  return vec4f(
    elementB(start, k, column),
    elementB(start, k, column + 1u),
    elementB(start, k, column + 2u),
    elementB(start, k, column + 3u),
  );
}

// The sum over the four invocations of a quad, in a fixed order.
fn addQuad(values: vec4f) -> vec4f {
  let pair = values + quadSwapX(values);
  return pair + quadSwapY(pair);
}

@compute @workgroup_size(LANES)
fn matmulDot(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), 8u, LANES);
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let row = tile.row * 8u;
  let place = lane % 4u;
  let column = tile.column * LANES + lane - place;
  var totals = Sums();
  for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
    let end = min(block + BLOCK, tile.endK);
    var sums = Sums();
    for (var k = block + place; k < end; k += 4u) {
      let upper = fourRowsOfA(tile.startA, row, k);
      let lower = fourRowsOfA(tile.startA, row + 4u, k);
      multiplyAdd(&sums, upper, lower, fourColumnsOfB(tile.startB, k, column));
    }
    addTo(&totals, sums);
  }
  var rows = rowsOf(totals);
  for (var r = 0u; r < 8u; r++) {
    let values = addQuad(rows[r]);
    storeElement(tile.matrix, row + r, column + place, values[place]);
  }
}
