// matmul_sums.wgsl: the 8 x 4 sums of an invocation in matmul_broadcast.wgsl and matmul_dot.wgsl. Joined behind
// matmul_scalar_loads.wgsl.
//
// Bindings    none of its own
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul.ts

// Eight rows of four columns, named one by one: compilers keep arrays in memory.
struct Sums {
  s0: vec4f,
  s1: vec4f,
  s2: vec4f,
  s3: vec4f,
  s4: vec4f,
  s5: vec4f,
  s6: vec4f,
  s7: vec4f,
}

// The product of eight values of A, in two halves, and four of B.
fn multiplyAdd(sums: ptr<function, Sums>, upper: vec4f, lower: vec4f, b: vec4f) {
  (*sums).s0 += upper.x * b;
  (*sums).s1 += upper.y * b;
  (*sums).s2 += upper.z * b;
  (*sums).s3 += upper.w * b;
  (*sums).s4 += lower.x * b;
  (*sums).s5 += lower.y * b;
  (*sums).s6 += lower.z * b;
  (*sums).s7 += lower.w * b;
}

fn addTo(totals: ptr<function, Sums>, sums: Sums) {
  (*totals).s0 += sums.s0;
  (*totals).s1 += sums.s1;
  (*totals).s2 += sums.s2;
  (*totals).s3 += sums.s3;
  (*totals).s4 += sums.s4;
  (*totals).s5 += sums.s5;
  (*totals).s6 += sums.s6;
  (*totals).s7 += sums.s7;
}

fn rowsOf(sums: Sums) -> array<vec4f, 8> {
  return array<vec4f, 8>(sums.s0, sums.s1, sums.s2, sums.s3, sums.s4, sums.s5, sums.s6, sums.s7);
}

fn fourRowsOfA(start: u32, row: u32, k: u32) -> vec4f {
  return vec4f(
    elementA(start, row, k),
    elementA(start, row + 1u, k),
    elementA(start, row + 2u, k),
    elementA(start, row + 3u, k),
  );
}
