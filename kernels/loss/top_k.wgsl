// top_k.wgsl: 1 where the logit of a row's class is among its K largest, else 0. Joined behind common.wgsl.
//
// Bindings    0 logits [N, C] read   1 target [N] (i32) read   2 correct [N] write   3 uniforms
// Launch      workgroup 64; one row an invocation; ⌈N / 64⌉ workgroups, folded at 65,535
// Cost        4 B read a logit, uncoalesced: the logits that go before that of the class are counted, nothing is sorted
// Edges       of equal logits the first one goes before, as in argmax; a row with NaN is not correct, nor is one whose class
//             does not exist
// Reference   lib/ops/loss/top-k.ts

struct Uniforms {
  N: u32,
  C: u32,
  k: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> correct: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn topK(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (row >= uniforms.N) {
    return;
  }
  let start = row * uniforms.C;
  let label = labels[row];
  let own = logits[start + min(label, uniforms.C - 1u)];
  var before = 0u;
  var isDefined = label < uniforms.C;
  for (var c = 0u; c < uniforms.C; c++) {
    let value = logits[start + c];
    isDefined = isDefined && !isNan(value);
    before += select(0u, 1u, value > own || (value == own && c < label));
  }
  correct[row] = select(0.0, 1.0, before < uniforms.k && isDefined);
}
