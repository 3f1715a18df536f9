// common.wgsl: joined in front of every kernel.
//
// Index arithmetic   A dispatch of more than 65,535 workgroups is folded into two dimensions (lib/graph/launch.ts);
//                    `workgroupIndex` counts them on. A walk steps through a tensor of up to eight axes by sizes and
//                    strides in elements (lib/shape.ts); row-major position -> offset costs a division an axis. Each kernel
//                    reads them where they lie: an array that a function is given, and indexes at run time, is copied to
//                    memory of the invocation's own on NVIDIA.
// Special values     WGSL lets an implementation assume that NaN and infinity do not occur, and compilers fold
//                    `v != v` to false. So they are told apart by the bits of a value, never by comparing, and made
//                    from bits that are only known at run time (a constant NaN is an error of the shader). Under fast
//                    math, which Metal has by default, even `select` of floats may do as it likes where one of them is
//                    NaN: what may be is selected as bits.

fn workgroupIndex(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}

fn isNan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

fn isInfinite(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) == 0x7f800000u;
}

fn isFinite(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u;
}

// v < 0, which NaN and -0 are not.
fn isNegative(v: f32) -> bool {
  return bitcast<u32>(v) - 0x80000001u < 0x7f800000u;
}

fn isZero(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) == 0u;
}

// b where it is taken, else a: by their bits, so that either may be NaN or infinite.
fn selectBits(a: f32, b: f32, takesB: bool) -> f32 {
  return bitcast<f32>(select(bitcast<u32>(a), bitcast<u32>(b), takesB));
}

fn valueOrNan(value: f32, isDefined: bool) -> f32 {
  return bitcast<f32>(select(0x7fc00000u, bitcast<u32>(value), isDefined));
}

// The float with these bits; `any` is some run-time value, which keeps the compiler from evaluating it.
fn floatOfBits(bits: u32, any: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(any) & 0u) | bits);
}

fn nanValue(any: f32) -> f32 {
  return floatOfBits(0x7fc00000u, any);
}

fn infinity(any: f32) -> f32 {
  return floatOfBits(0x7f800000u, any);
}

// The larger one; NaN where either is NaN (max() may give the other one).
fn maximumOf(a: f32, b: f32) -> f32 {
  let larger = selectBits(b, a, a > b);
  return selectBits(selectBits(larger, b, isNan(b)), a, isNan(a));
}

fn minimumOf(a: f32, b: f32) -> f32 {
  let smaller = selectBits(b, a, a < b);
  return selectBits(selectBits(smaller, b, isNan(b)), a, isNan(a));
}

// exp, log and tanh as IEEE has them at the edges, where adapters differ: some give exp(NaN) = Inf, log(-1) = 0,
// tanh(Inf) = NaN. Within the edges they are the adapter's own.
fn expOf(v: f32) -> f32 {
  return selectBits(exp(v), v, isNan(v));
}

fn logOf(v: f32) -> f32 {
  let isOrdinary = bitcast<u32>(v) - 1u < 0x7f7fffffu; // above 0, and finite
  let edge = selectBits(valueOrNan(v, !isNegative(v)), floatOfBits(0xff800000u, v), isZero(v));
  return selectBits(edge, log(selectBits(1.0, v, isOrdinary)), isOrdinary);
}

// Beyond 10, tanh is 1 in float32.
fn tanhOf(v: f32) -> f32 {
  return selectBits(tanh(clamp(v, -10.0, 10.0)), v, isNan(v));
}
