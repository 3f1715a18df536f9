// matmul_naive.wgsl: C = op(A) · op(B), one element an invocation: the zero line of benchmarks, and the second oracle
// that the other kernels are tested against. Joined behind common.wgsl, matmul_common.wgsl and matmul_scalar_loads.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32, in order of k; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
// Launch      workgroup 64, for 8 rows and 8 columns; ⌈N/8⌉ · ⌈M/8⌉ · batch workgroups in one row, folded at 65,535
// Cost        2 flop and 8 B read for each k: 0.25 flop/B, so caches decide
// Reference   lib/ops/matmul/matmul.ts

@compute @workgroup_size(64)
fn matmulNaive(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), 8u, 8u, columnsOfC());
  let row = tile.row * 8u + lane / 8u;
  let column = tile.column * 8u + lane % 8u;
  if (!tile.exists || row >= size.M || column >= columnsOfC()) {
    return;
  }
  var total = 0.0;
  for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
    var sum = 0.0;
    for (var k = block; k < min(block + BLOCK, tile.endK); k++) {
      sum += elementA(tile.startA, row, k) * elementB(tile.startB, k, column);
    }
    total += sum;
  }
  beginStages();
  storeElement(tile.matrix, row, column, total);
}
