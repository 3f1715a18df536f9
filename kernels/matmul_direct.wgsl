// matmul_direct.wgsl: C = op(A) · op(B), 8 x 4 elements of C an invocation, straight from storage, without workgroup
// memory or barriers. Joined behind common.wgsl, matmul_common.wgsl and one of the two loads.
//
// Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; op transposes where TRANSPOSE_A / TRANSPOSE_B
// Bindings    0 a [.., M, K] or [.., K, M] read   1 b [.., K, N] or [.., N, K] read   2 c [batch, M, N] write   3 uniforms
//                     n … n+3
//                    ┌──┐            Each step of 4 in k loads two 4 x 4 blocks of A (rows m … m+7) and one of B as
//                  k │▒▒│ 4          matrices, so that a row of the result is  c[m] += B · a[m]  with a[m] a vec4
//            4       ├──┤            along k and the columns of B vec4s along n.
//      m   ┌──┐      │▒▒│
//      …   │▒▒│      │▒▒│ 8
//      m+7 └──┘      └──┘
// Launch      workgroup 64 x 1: 64 neighbouring groups of 4 columns, the same 8 rows, whose loads of A are therefore
//             uniform; ⌈N/256⌉ · ⌈M/8⌉ · batch workgroups in one row, folded at 65,535
// Cost        a step: 2 · 8 · 4 · 4 = 256 flop for 12 vec4 loads, 192 B: 1.3 flop/B from the caches
// For         adapters that run on the CPU (SwiftShader, lavapipe), where workgroup memory is ordinary memory and a
//             barrier costs a change of context: large register tiles and no barriers win there
// Accuracy    sums are formed in blocks of 256 k, so that rounding errors grow with √256 + √(K/256), not with √K
// Edges       loads beyond M, N, K give 0, stores are guarded
// Reference   lib/ops/matmul.ts
// Variants    matmul_scalar_loads.wgsl for sizes of any remainder; matmul_vec4_loads.wgsl for contiguous axes that are
//             multiples of 4

const BLOCK = 256u;

// Four rows of op(A) from `row` on, each a vec4 along k.
fn blockOfA(start: u32, row: u32, k: u32) -> mat4x4f {
  if (TRANSPOSE_A) {
    return transpose(mat4x4f(
      loadA(start, k, row, size.K, size.M),
      loadA(start, k + 1u, row, size.K, size.M),
      loadA(start, k + 2u, row, size.K, size.M),
      loadA(start, k + 3u, row, size.K, size.M),
    ));
  }
  return mat4x4f(
    loadA(start, row, k, size.M, size.K),
    loadA(start, row + 1u, k, size.M, size.K),
    loadA(start, row + 2u, k, size.M, size.K),
    loadA(start, row + 3u, k, size.M, size.K),
  );
}

// Four steps in k of op(B) from `k` on, each a vec4 along n.
fn blockOfB(start: u32, k: u32, column: u32) -> mat4x4f {
  if (TRANSPOSE_B) {
    return transpose(mat4x4f(
      loadB(start, column, k, size.N, size.K),
      loadB(start, column + 1u, k, size.N, size.K),
      loadB(start, column + 2u, k, size.N, size.K),
      loadB(start, column + 3u, k, size.N, size.K),
    ));
  }
  return mat4x4f(
    loadB(start, k, column, size.K, size.N),
    loadB(start, k + 1u, column, size.K, size.N),
    loadB(start, k + 2u, column, size.K, size.N),
    loadB(start, k + 3u, column, size.K, size.N),
  );
}

@compute @workgroup_size(64)
fn matmulDirect(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = workgroupIndex(workgroupId, workgroups);
  let tilesN = (size.N + 255u) / 256u;
  let tilesM = (size.M + 7u) / 8u;
  let batch = tile / (tilesM * tilesN);
  let row = (tile / tilesN) % tilesM * 8u;
  let column = (tile % tilesN * 64u + lane) * 4u;
  if (batch >= size.batch || column >= size.N) {
    return;
  }
  let startA = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesA);
  let startB = walkOffset(batch, size.batchRank, size.batchSizes, size.batchStridesB);
  var c0 = vec4f(0.0);
  var c1 = vec4f(0.0);
  var c2 = vec4f(0.0);
  var c3 = vec4f(0.0);
  var c4 = vec4f(0.0);
  var c5 = vec4f(0.0);
  var c6 = vec4f(0.0);
  var c7 = vec4f(0.0);
  // Sums of up to 256 k, each added to c once.
  var s0 = vec4f(0.0);
  var s1 = vec4f(0.0);
  var s2 = vec4f(0.0);
  var s3 = vec4f(0.0);
  var s4 = vec4f(0.0);
  var s5 = vec4f(0.0);
  var s6 = vec4f(0.0);
  var s7 = vec4f(0.0);
  for (var k = 0u; k < size.K; k += 4u) {
    let blockB = blockOfB(startB, k, column);
    let upper = blockOfA(startA, row, k);
    s0 += blockB * upper[0];
    s1 += blockB * upper[1];
    s2 += blockB * upper[2];
    s3 += blockB * upper[3];
    let lower = blockOfA(startA, row + 4u, k);
    s4 += blockB * lower[0];
    s5 += blockB * lower[1];
    s6 += blockB * lower[2];
    s7 += blockB * lower[3];
    if (k % BLOCK == BLOCK - 4u || k + 4u >= size.K) {
      c0 += s0;
      c1 += s1;
      c2 += s2;
      c3 += s3;
      c4 += s4;
      c5 += s5;
      c6 += s6;
      c7 += s7;
      s0 = vec4f(0.0);
      s1 = vec4f(0.0);
      s2 = vec4f(0.0);
      s3 = vec4f(0.0);
      s4 = vec4f(0.0);
      s5 = vec4f(0.0);
      s6 = vec4f(0.0);
      s7 = vec4f(0.0);
    }
  }
  var rows = array<vec4f, 8>(c0, c1, c2, c3, c4, c5, c6, c7);
  for (var r = 0u; r < 8u; r++) {
    storeC(batch, row + r, column, rows[r]);
  }
}
