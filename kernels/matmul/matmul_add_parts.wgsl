// matmul_add_parts.wgsl: the second launch of a product whose sums are left in parts: C is the sum of its parts, and stages
// follow. Joined behind common.wgsl, element_one.wgsl and matmul_common.wgsl.
//
// Computes    c[i] = Σ_p partial[p, i] for the elements i of [batch, M, N], in order of p: the same bits in every run
// Bindings    0 partial [parts, batch, M, N and the sums' column] read   2 c [batch, M, N] write   3 uniforms
// Launch      workgroup 64; one element an invocation; ⌈batch · M · N / 64⌉ workgroups, folded at 65,535
// Cost        4 · (parts + 1) B an element, four loads of an invocation under way: bound by bandwidth
// Reference   lib/ops/matmul/matmul.ts

@group(0) @binding(0) var<storage, read> partial: array<f32>;

@compute @workgroup_size(64)
fn matmulAddParts(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let columns = size.N + min(SUM_COLUMNS, 1u);
  let rows = size.batch * size.M;
  if (index >= rows * columns) {
    return;
  }
  let row = index / columns;
  let column = index % columns;
  let elements = rows * columnsOfC();
  let first = row * columnsOfC() + column;
  let quads = size.parts / 4u;
  let parts = size.parts;
  var sum = 0.0;
  for (var quad = 0u; quad < quads; quad++) {
    let at = first + 4u * quad * elements;
    let quadOfParts = vec4f(
      partial[at],
      partial[at + elements],
      partial[at + 2u * elements],
      partial[at + 3u * elements],
    );
    sum += quadOfParts.x;
    sum += quadOfParts.y;
    sum += quadOfParts.z;
    sum += quadOfParts.w;
  }
  for (var part = 4u * quads; part < parts; part++) {
    sum += partial[first + part * elements];
  }
  beginStages();
  if (column < size.N) {
    putC(sum, placedRow(row), column);
  } else {
    putSum(sum, row);
  }
}
