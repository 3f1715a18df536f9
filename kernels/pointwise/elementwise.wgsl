// elementwise.wgsl: operations on single elements, one after the other, in one launch. Joined behind common.wgsl and
// element_four.wgsl.
//
// Computes    result[i] = f(… f(operand[i], …)); the block `stages` is what lib/fusion/glue.ts prints of a chain of stages
//             (pointwise.wgsl, binary.wgsl, dropout.wgsl, kernels/update)
// Bindings    0 uniforms; those of the block from 1 on: operands [count], or repeated along axes, read; results write
// Launch      workgroup 64; one vec4 an invocation; ⌈count / 256⌉ workgroups, folded at 65,535
// Cost        4 B moved for each operand and result of an element: bound by memory bandwidth
// Edges       buffers are padded to whole vec4s, so the last quad may compute up to three values that nobody reads
// Reference   lib/ops/pointwise/elementwise.ts

struct Uniforms {
  count: u32,
  words: array<vec4u, WORD_QUADS>, // numbers that the stages need
}

@group(0) @binding(0) var<uniform> size: Uniforms;

// begin stages
const WORD_QUADS = 1u;

@group(0) @binding(1) var<storage, read> operand: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn beginStages() {
}

fn put(index: u32) {
  result[index / WIDTH] = operand[index / WIDTH];
}
// end stages

@compute @workgroup_size(64)
fn elementwise(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (workgroupIndex(workgroupId, workgroups) * 64u + lane) * WIDTH;
  if (index >= size.count) {
    return;
  }
  beginStages();
  put(index);
}
