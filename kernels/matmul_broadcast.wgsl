// matmul_broadcast.wgsl: C = op(A) · op(B), 8 x 4 elements of C an invocation, straight from storage; the values of A
// are loaded once for a quad of invocations and passed on by broadcasts. Joined behind `enable subgroups;`, common.wgsl,
// matmul_common.wgsl, matmul_scalar_loads.wgsl and matmul_sums.wgsl.
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
// Launch      workgroup LANES = 32; ⌈N/(4 · LANES)⌉ · ⌈M/8⌉ · batch workgroups in one row, folded at 65,535
// Cost        four steps of k: 2 · 8 · 4 · 4 = 256 flop an invocation for 8 loads of A and 16 of B, 96 B: 2.7 flop/B
// For         adapters that run on the CPU, where invocations are the lanes of SIMD registers, loads cost far more than
//             arithmetic, and workgroup memory and barriers gain nothing. With B transposed neighbouring invocations
//             read elements K apart: matmul_dot.wgsl
// Edges       what stands beyond M and N is computed from whatever the loads give and never stored; K is exact
// Reference   lib/ops/matmul.ts

const LANES = 32u;

// One step of k for the four columns of this invocation.
fn rowOfB(start: u32, k: u32, column: u32) -> vec4f {
  return vec4f(
    elementB(start, k, column),
    elementB(start, k, column + LANES),
    elementB(start, k, column + 2u * LANES),
    elementB(start, k, column + 3u * LANES),
  );
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

@compute @workgroup_size(LANES)
fn matmulBroadcast(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), 8u, 4u * LANES);
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let row = tile.row * 8u;
  let column = tile.column * 4u * LANES + lane;
  let place = lane % 4u;
  var totals = Sums();
  for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
    let end = min(block + BLOCK, tile.endK);
    var sums = Sums();
    var k = block;
    if (TRANSPOSE_A) {
      for (; k < end; k++) {
        let upper = elementA(tile.startA, row + place, k);
        let lower = elementA(tile.startA, row + 4u + place, k);
        multiplyAdd(&sums, gatherQuad(upper), gatherQuad(lower), rowOfB(tile.startB, k, column));
      }
    } else {
      for (; k + 4u <= end; k += 4u) {
        let upper = fourRowsOfA(tile.startA, row, k + place);
        let lower = fourRowsOfA(tile.startA, row + 4u, k + place);
        multiplyAdd(&sums, quadBroadcast(upper, 0u), quadBroadcast(lower, 0u), rowOfB(tile.startB, k, column));
        multiplyAdd(&sums, quadBroadcast(upper, 1u), quadBroadcast(lower, 1u), rowOfB(tile.startB, k + 1u, column));
        multiplyAdd(&sums, quadBroadcast(upper, 2u), quadBroadcast(lower, 2u), rowOfB(tile.startB, k + 2u, column));
        multiplyAdd(&sums, quadBroadcast(upper, 3u), quadBroadcast(lower, 3u), rowOfB(tile.startB, k + 3u, column));
      }
      for (; k < end; k++) {
        let upper = fourRowsOfA(tile.startA, row, k);
        let lower = fourRowsOfA(tile.startA, row + 4u, k);
        multiplyAdd(&sums, upper, lower, rowOfB(tile.startB, k, column));
      }
    }
    addTo(&totals, sums);
  }
  var rows = rowsOf(totals);
  for (var r = 0u; r < 8u; r++) {
    let values = rows[r];
    for (var j = 0u; j < 4u; j++) {
      storeElement(tile.matrix, row + r, column + j * LANES, values[j]);
    }
  }
}
