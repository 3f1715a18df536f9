// matmul_blocks.wgsl: 4 x 4 blocks of A and B for matmul_tiled.wgsl and matmul_direct.wgsl, turned so that both hold one
// step of k a column, whatever the operands' layout. Joined behind one of the two loads.
//
// Bindings    none of its own
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul/matmul.ts

// Four steps of k from `k` on, each a vec4 along m.
fn blockOfA(start: u32, row: u32, k: u32) -> mat4x4f {
  if (TRANSPOSE_A) {
    return mat4x4f(
      loadA(start, k, row, size.K, size.M),
      loadA(start, k + 1u, row, size.K, size.M),
      loadA(start, k + 2u, row, size.K, size.M),
      loadA(start, k + 3u, row, size.K, size.M),
    );
  }
  return transpose(mat4x4f(
    loadA(start, row, k, size.M, size.K),
    loadA(start, row + 1u, k, size.M, size.K),
    loadA(start, row + 2u, k, size.M, size.K),
    loadA(start, row + 3u, k, size.M, size.K),
  ));
}

// Four steps of k from `k` on, each a vec4 along n.
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

// Four rows of C more by one step of k.
fn multiplyAdd(sums: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(sums[0] + a.x * b, sums[1] + a.y * b, sums[2] + a.z * b, sums[3] + a.w * b);
}
