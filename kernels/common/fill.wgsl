// fill.wgsl: output[i] = value, whose bits are given. Joined behind common.wgsl.
//
// Bindings    0 output [count] write   1 uniforms
// Launch      workgroup 64; one element an invocation; ⌈count / 64⌉ workgroups, folded at 65,535
// Reference   lib/ops/moving/slice.ts (pad)

struct Uniforms {
  count: u32,
  value: u32,
}

@group(0) @binding(0) var<storage, read_write> output: array<u32>;
@group(0) @binding(1) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn fill(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i < uniforms.count) {
    output[i] = uniforms.value;
  }
}
