// matmul_add_parts.wgsl: the second launch of a product whose sums are left in parts: C is the sum of its parts, and stages
// follow. Joined behind common.wgsl, element_one.wgsl or element_four.wgsl, and matmul_common.wgsl.
//
// Computes    c[i] = Σ_p partial[p, i] for the elements i of [batch, M, N], in order of p: the same bits in every run
// Bindings    0 partial [parts, batch, M, N and the sums' column] read   2 c [batch, M, N] write   3 uniforms
// Launch      workgroup 64; one element an invocation, or four of a row; ⌈batch · M · N / 64⌉ workgroups or a quarter of them,
//             folded at 65,535
// Cost        4 · (parts + 1) B an element, four loads of an invocation under way: bound by bandwidth
// Reference   lib/ops/matmul/matmul.ts

@group(0) @binding(0) var<storage, read> partial: array<Element>;

@compute @workgroup_size(64)
fn matmulAddParts(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let columns = size.N / WIDTH + min(SUM_COLUMNS, 1u);
  let rows = size.batch * size.M;
  if (index >= rows * columns) {
    return;
  }
  let row = index / columns;
  let column = index % columns * WIDTH;
  let elements = rows * columnsOfC() / WIDTH;
  let first = (row * columnsOfC() + column) / WIDTH;
  let quads = size.parts / 4u;
  let parts = size.parts;
  var sum = Element();
  for (var quad = 0u; quad < quads; quad++) {
    let at = first + 4u * quad * elements;
    let one = partial[at];
    let two = partial[at + elements];
    let three = partial[at + 2u * elements];
    let four = partial[at + 3u * elements];
    sum += one;
    sum += two;
    sum += three;
    sum += four;
  }
  for (var part = 4u * quads; part < parts; part++) {
    sum += partial[first + part * elements];
  }
  beginStages();
  if (column < size.N) {
    putC(sum, placedRow(row), column);
  } else {
    putSum(firstOf(sum), row);
  }
}
