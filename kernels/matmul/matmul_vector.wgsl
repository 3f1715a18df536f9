// matmul_vector.wgsl: C = op(A) · op(B) where M = 1 or N = 1: a matrix by a vector, each element of C summed by several
// invocations. Joined behind common.wgsl, matmul_common.wgsl and matmul_scalar_loads.wgsl.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//             64 invocations sum 64 / SPLIT elements of C, SPLIT of them an element, each over every SPLIT-th k; then one
//             of them adds their sums in order. Where the matrix is contiguous along k, SPLIT = 64, and neighbours read
//             neighbours along k; else SPLIT = 4, and 16 neighbours read neighbouring rows or columns.
// Launch      workgroup 64; ⌈M · N / (64 / SPLIT)⌉ · batch · parts workgroups in one row, folded at 65,535
// Memory      256 B of workgroup memory
// Cost        2 flop for each 4 B of the matrix, which is read once: bound by bandwidth
// Edges       what stands beyond M · N is not computed; every barrier is in uniform control flow
// Reference   lib/ops/matmul/matmul.ts

override SPLIT: u32 = 64;

var<workgroup> sums: array<f32, 64>; // [SPLIT, 64 / SPLIT]

@compute @workgroup_size(64)
fn matmulVector(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // One of M and N is 1, so that a tile is a stretch of the other one.
  let outputs = 64u / SPLIT;
  let isRow = size.M == 1u;
  let index = workgroupIndex(workgroupId, workgroups);
  let tile = tileOf(index, select(outputs, 1u, isRow), select(1u, outputs, isRow), columnsOfC());
  if (!tile.exists) {
    return; // the same for the whole workgroup
  }
  let output = lane % outputs;
  let row = select(tile.row * outputs + output, 0u, isRow);
  let column = select(tile.column, tile.column * outputs + output, isRow);
  var total = 0.0;
  if (row < size.M && column < columnsOfC()) {
    for (var block = tile.firstK; block < tile.endK; block += BLOCK) {
      var sum = 0.0;
      for (var k = block + lane / outputs; k < min(block + BLOCK, tile.endK); k += SPLIT) {
        sum += elementA(tile.startA, row, k) * elementB(tile.startB, k, column);
      }
      total += sum;
    }
  }
  sums[lane] = total;
  workgroupBarrier();
  if (lane < outputs) {
    var sum = 0.0;
    for (var i = lane; i < 64u; i += outputs) {
      sum += sums[i];
    }
    beginStages();
    storeElement(tile.matrix, row, column, sum);
  }
}
