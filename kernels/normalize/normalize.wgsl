// normalize.wgsl: output[i] = normalized(input[i], what reduce.wgsl makes of the row or column that i is in). Joined behind
// reduce.wgsl, whose layout, tasks and reduction it uses.
//
// Bindings    0 uniforms   from 2 on those of lib/fusion/glue.ts: input read, output write, what stages read
// Launch      workgroup 64, LANES lanes an item, as reduceWhole: ⌈items · LANES / 64⌉ workgroups, folded at 65,535
// Memory      64 accumulators: 2 KiB for two vec4s
// Cost        12 B moved an element, 4 of them from the cache where rows are short: bound by memory bandwidth
// Edges       stages in front of it are computed twice
// Reference   lib/ops/normalize/softmax.ts

@compute @workgroup_size(64)
fn normalize(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let task = taskOf(workgroupIndex(workgroupId, workgroups), index);
  let start = begin(task);
  let joined = folded(joinLanes(reduceInput(task, start), index, task.lane));
  workgroupBarrier();
  if (task.lane == 0u) {
    partial[index] = joined;
  }
  workgroupBarrier();
  let total = partial[index - task.lane * select(1u, 64u / LANES, ACROSS)];

  let pitch = uniforms.axes[6].x;
  let first = start + task.first * pitch;
  let next = LANES * pitch;
  let quads = task.count / 4u;
  for (var quad = 0u; quad < quads; quad++) {
    let at = first + quad * 4u * next;
    let a = valueAt(at);
    let b = valueAt(at + next);
    let c = valueAt(at + 2u * next);
    let d = valueAt(at + 3u * next);
    put(normalized(a, total), at);
    put(normalized(b, total), at + next);
    put(normalized(c, total), at + 2u * next);
    put(normalized(d, total), at + 3u * next);
  }
  let count = task.count;
  for (var i = quads * 4u; i < count; i++) {
    let at = first + i * next;
    put(normalized(valueAt(at), total), at);
  }
}
