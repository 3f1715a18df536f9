// matmul_add_parts.wgsl: the second launch of split-K: C is the sum of its parts. Joined behind common.wgsl,
// matmul_common.wgsl and matmul_scalar_loads.wgsl.
//
// Computes    c[i] = Σ_p partial[p, i] for the elements i of [batch, M, N], in order of p: the same bits in every run
// Bindings    0 partial [parts, batch, M, N] read   2 c [batch, M, N] write   3 uniforms
// Launch      workgroup 64; one element an invocation; ⌈batch · M · N / 64⌉ workgroups, folded at 65,535
// Cost        4 · (parts + 1) B an element: bound by bandwidth
// Reference   lib/ops/matmul/matmul.ts

@group(0) @binding(0) var<storage, read> partial: array<f32>;

@compute @workgroup_size(64)
fn matmulAddParts(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let columns = columnsOfC();
  let elements = size.batch * size.M * columns;
  if (index >= elements) {
    return;
  }
  var sum = 0.0;
  for (var part = 0u; part < size.parts; part++) {
    sum += partial[part * elements + index];
  }
  let row = index / columns;
  beginStages();
  storeElement(row / size.M, row % size.M, index % columns, sum);
}
