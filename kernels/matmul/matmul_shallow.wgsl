// matmul_shallow.wgsl: C = op(A) · op(B) where K is small, STEPS: a column of B in registers against rows of A. Joined behind
// common.wgsl, element_one.wgsl, matmul_common.wgsl and matmul_scalar_loads.wgsl. A template.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
// Launch      workgroup 256: COLUMNS neighbouring columns, and 256 / COLUMNS groups of 8 rows; ⌈N/COLUMNS⌉ · ⌈M/rows⌉ · batch
//             workgroups in one row, folded at 65,535
// Cost        2 · STEPS flop and STEPS loads of A, which neighbours share, for each 4 B of C, which are stored side by side:
//             bound by the bandwidth of C
// Edges       what stands beyond M and N is not computed; no barriers
// Reference   lib/ops/matmul/matmul.ts

// begin columns
const COLUMNS = 256u;
// end columns

@compute @workgroup_size(256)
fn matmulShallow(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tileRows = 8u * (256u / COLUMNS);
  let tile = tileOf(workgroupIndex(workgroupId, workgroups), tileRows, COLUMNS, columnsOfC());
  let column = tile.column * COLUMNS + lane % COLUMNS;
  let firstRow = tile.row * tileRows + lane / COLUMNS * 8u;
  if (!tile.exists || column >= columnsOfC() || firstRow >= size.M) {
    return;
  }
  // each k of STEPS
  let b_$k = elementB(tile.startB, $k, column);
  // end k
  let rows = min(8u, size.M - firstRow);
  beginStages();
  for (var i = 0u; i < rows; i++) {
    var sum = 0.0;
    // each k of STEPS
    sum += elementA(tile.startA, firstRow + i, $k) * b_$k;
    // end k
    storeElement(tile.matrix, firstRow + i, column, sum);
  }
}
