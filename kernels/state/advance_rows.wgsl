// advance_rows.wgsl: the block `rows` of advance.wgsl where the first state is that of a data loader: the row numbers of the
// batch that the next step takes, so that it finds them ready. Joined behind philox.wgsl and permutation.wgsl.
//
// Bindings    5 rows (i32) write
// Launch      none of its own: that of advance.wgsl
// Reference   lib/ops/state/advance.ts, lib/ops/state/batch-rows.ts

@group(0) @binding(5) var<storage, read_write> rows: array<u32>;

fn drawRows(lane: u32, counter: Counter) {
  let seed = vec2u(state0[0], state0[1]);
  for (var i = lane; i < counter.rows; i += 256u) {
    rows[i] = rowAt(state0[3] + counter.by + i, counter.limit, seed, state0[2]);
  }
}
