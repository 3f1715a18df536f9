// loss_label_rows.wgsl: the block `labels` of softmax_cross_entropy.wgsl where the classes are picked from a table: a gather in
// the loads. A row that the table does not have gives the class -1, as gather.wgsl does.
//
// Bindings    6 rows [N] (i32) read
// Launch      none of its own: that of softmax_cross_entropy_loss.wgsl
// Reference   lib/ops/moving/gather.ts

@group(0) @binding(6) var<storage, read> labelRows: array<u32>;

override LABELS: u32 = 1u;

fn labelOf(row: u32) -> u32 {
  let at = labelRows[row];
  return select(0xffffffffu, target_[min(at, LABELS - 1u)], at < LABELS);
}
