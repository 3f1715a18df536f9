// copy.wgsl: the device's peak of memory traffic, a copy of an array that fits into no cache.
//
// Computes    output[i] = input[i]
// Bindings    0 input [N / 4] vec4f read   1 output [N / 4] vec4f write   2 (N / 4, invocations, 0, 0): vec4u uniform
// Launch      workgroup 64; dispatch (workgroups, 1, 1); invocation i copies elements i, i + invocations, …
// Memory      none but the arrays
// Cost        2 · 4 · N bytes, no flop; neighbours copy neighbours, so that every transaction is whole
// Edges       the loop ends at N / 4
// Reference   bench/kernels/peaks.wat, the same on the CPU

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(2) var<uniform> size: vec4u; // vectors, invocations

@compute @workgroup_size(64)
fn copyVectors(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < size.x; i += size.y) {
    output[i] = input[i];
  }
}
