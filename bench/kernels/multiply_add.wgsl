// multiply_add.wgsl: the device's peak of f32 arithmetic, as many multiply-adds as it can do and next to nothing else.
//
// Computes    x ← x · factor + term, STEPS times, for 8 independent vec4f an invocation; output[i] = their sum
// Bindings    0 output [invocations] vec4f write   1 (factor, term): vec4f uniform, so that nothing is folded away
// Launch      workgroup 64; dispatch (workgroups, 1, 1), enough of them to fill the device
// Memory      8 · 4 floats in registers an invocation; one store of 16 B at the end
// Cost        2 · 4 · 8 · STEPS flop an invocation; 8 chains hide the latency of one multiply-add (4 to 6 cycles)
// Edges       none: the output has one element for each invocation
// Numbers     factor < 1: the values stay near term / (1 - factor), neither subnormal nor infinite
// Reference   bench/kernels/peaks.wat, the same on the CPU

override STEPS: u32 = 1024;

@group(0) @binding(0) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(1) var<uniform> size: vec4f; // factor, term

@compute @workgroup_size(64)
fn multiplyAdd(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(size.x);
  let term = vec4f(size.y);
  let start = f32(id.x & 255u);
  var x0 = vec4f(start, start + 1.0, start + 2.0, start + 3.0);
  var x1 = x0 + 4.0;
  var x2 = x0 + 8.0;
  var x3 = x0 + 12.0;
  var x4 = x0 + 16.0;
  var x5 = x0 + 20.0;
  var x6 = x0 + 24.0;
  var x7 = x0 + 28.0;
  for (var step = 0u; step < STEPS; step++) {
    x0 = fma(x0, factor, term);
    x1 = fma(x1, factor, term);
    x2 = fma(x2, factor, term);
    x3 = fma(x3, factor, term);
    x4 = fma(x4, factor, term);
    x5 = fma(x5, factor, term);
    x6 = fma(x6, factor, term);
    x7 = fma(x7, factor, term);
  }
  output[id.x] = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7));
}
