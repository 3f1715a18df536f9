// matmul_naive.wgsl: C = op(A) · op(B), one element an invocation: the zero line of benchmarks, and the second oracle
// that the tiled kernel is tested against. Joined behind common.wgsl and matmul_common.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32, in order of k; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
// Launch      workgroup 8 x 8; ⌈N/8⌉ · ⌈M/8⌉ · batch workgroups in one row, folded at 65,535
// Cost        2 flop and 8 B read for each k: 0.25 flop/B, so caches decide
// Reference   lib/ops/matmul.ts

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(8, 8)
fn matmulNaive(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let tile = workgroupIndex(workgroupId, workgroups);
  let tilesN = (size.N + 7u) / 8u;
  let tilesM = (size.M + 7u) / 8u;
  let batch = tile / (tilesM * tilesN);
  let row = (tile / tilesN) % tilesM * 8u + local.y;
  let column = tile % tilesN * 8u + local.x;
  if (batch >= size.batch || row >= size.M || column >= size.N) {
    return;
  }
  let startA = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesA);
  let startB = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesB);
  var sum = 0.0;
  for (var k = 0u; k < size.K; k++) {
    let indexA = startA + select(row * size.K + k, k * size.M + row, TRANSPOSE_A);
    let indexB = startB + select(k * size.N + column, column * size.K + k, TRANSPOSE_B);
    sum += a[indexA] * b[indexB];
  }
  c[(batch * size.M + row) * size.N + column] = sum;
}
