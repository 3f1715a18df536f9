// loss_beside.wgsl: the block `beside` of softmax_cross_entropy_loss.wgsl: what else becomes of the loss and the share of
// hits. Joined behind metered.wgsl; blocks that are not asked for are empty.
//
// Bindings    7 running mean of the loss [4] read and write   8 hits [] write   9 running mean of the hits [4] read and write
// Launch      none of its own
// Reference   lib/ops/loss/fused-loss.ts

override LOSS_WEIGHT: f32 = 1.0;
override HITS_WEIGHT: f32 = 1.0;

// begin loss meter
@group(0) @binding(7) var<storage, read_write> lossMeter: array<vec4f>;

fn meterLoss(value: f32) {
  lossMeter[0] = metered(lossMeter[0], value, LOSS_WEIGHT);
}
// end loss meter
// begin hits
@group(0) @binding(8) var<storage, read_write> hitShare: array<f32>;

fn storeHits(value: f32) {
  hitShare[0] = value;
}
// end hits
// begin hits meter
@group(0) @binding(9) var<storage, read_write> hitsMeter: array<vec4f>;

fn meterHits(value: f32) {
  hitsMeter[0] = metered(hitsMeter[0], value, HITS_WEIGHT);
}
// end hits meter

fn putBeside(meanLoss: f32, hits: f32) {
  meterLoss(meanLoss);
  storeHits(hits);
  meterHits(hits);
}
