// matmul_direct.wgsl: C = op(A) · op(B), 8 x 4 elements of C an invocation, straight from storage, without workgroup
// memory or barriers. Joined behind common.wgsl, matmul_common.wgsl, one of the two loads and matmul_blocks.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                     n … n+3
//                    ┌──┐            Each step of 4 in k loads two 4 x 4 blocks of A (rows m … m+7) and one of B, and
//                  k │▒▒│ 4          adds the outer product of a column of A and a row of B for each k.
//            4       ├──┤
//      m   ┌──┐      │▒▒│
//      …   │▒▒│      │▒▒│ 8
//      m+7 └──┘      └──┘
// Launch      workgroup 64 x 1: 64 neighbouring groups of 4 columns, the same 8 rows, whose loads of A are therefore
//             uniform; ⌈N/256⌉ · ⌈M/8⌉ · batch workgroups in one row, folded at 65,535
// Cost        a step: 2 · 8 · 4 · 4 = 256 flop for 12 vec4 loads, 192 B: 1.3 flop/B from the caches
// For         adapters that run on the CPU without subgroups, where workgroup memory is ordinary memory and a barrier
//             costs a change of context
// Edges       loads beyond M, N, K give 0, stores are guarded
// Reference   lib/ops/matmul/matmul.ts
// Variants    matmul_scalar_loads.wgsl for sizes of any remainder; matmul_vec4_loads.wgsl for contiguous axes that are
//             multiples of 4

@compute @workgroup_size(64)
fn matmulDirect(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), 8u, 256u, columnsOfC());
  let row = tile.row * 8u;
  let column = (tile.column * 64u + lane) * 4u;
  if (!tile.exists || column >= columnsOfC()) {
    return;
  }
  var upper = mat4x4f();
  var lower = mat4x4f();
  for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
    var upperSums = mat4x4f();
    var lowerSums = mat4x4f();
    for (var k = block; k < min(block + BLOCK, tile.endK); k += 4u) {
      let b = blockOfB(tile.startB, k, column);
      let upperA = blockOfA(tile.startA, row, k);
      upperSums = multiplyAdd(upperSums, upperA[0], b[0]);
      upperSums = multiplyAdd(upperSums, upperA[1], b[1]);
      upperSums = multiplyAdd(upperSums, upperA[2], b[2]);
      upperSums = multiplyAdd(upperSums, upperA[3], b[3]);
      let lowerA = blockOfA(tile.startA, row + 4u, k);
      lowerSums = multiplyAdd(lowerSums, lowerA[0], b[0]);
      lowerSums = multiplyAdd(lowerSums, lowerA[1], b[1]);
      lowerSums = multiplyAdd(lowerSums, lowerA[2], b[2]);
      lowerSums = multiplyAdd(lowerSums, lowerA[3], b[3]);
    }
    upper += upperSums;
    lower += lowerSums;
  }
  var rows = array<vec4f, 8>(
    upper[0], upper[1], upper[2], upper[3], lower[0], lower[1], lower[2], lower[3],
  );
  beginStages();
  for (var r = 0u; r < 8u; r++) {
    storeC(tile.matrix, row + r, column, rows[r]);
  }
}
