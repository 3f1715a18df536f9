// empty.wgsl: the floor, a dispatch that does nothing.
//
// Computes    nothing
// Bindings    0 size: vec4u uniform, never read
// Launch      workgroup 1; dispatch (1, 1, 1)
// Cost        what the device and its driver take for any dispatch at all

@group(0) @binding(0) var<uniform> size: vec4u;

@compute @workgroup_size(1)
fn empty() {}
