// matmul_loads.wgsl: how matmul_tiled.wgsl and matmul_thin.wgsl read an operand: the contract is the struct Place$X and the
// functions placeOf$X and quadOf$X, and whoever reads from elsewhere (a convolution from its picture) brings its own.
// A template: $X is A or B, $OUTER the size of its other axis, M or N. Joined once for each operand.
//
// Reads       vec4s of a window of the operand, TILE places of m or n wide and DEPTH steps of k deep, which moves along k.
//             They are counted along the operand's contiguous axis. What does not change while the window moves is
//             computed once, in placeOf$X; quadOf$X costs a multiplication where rows are steps of k, and no division.
// Edges       beyond M or N: the last place once more, whose products nobody stores; beyond `end` in k: 0
// Rows        of a table, picked by row numbers (matmul_rows.wgsl): one that the table does not have is NaN
// Bindings    those of matmul_floats.wgsl, matmul_half.wgsl or matmul_bytes.wgsl
// Launch      none of its own: that of the matmul kernel
// Variants    QUADS: the contiguous axis is a multiple of 4, and a vec4 is one load; NUMBERS: it is four

// begin window
const IS_$X_ALONG_K = true;
const TILE_$X = 64u;
// end window

const QUADS_$X = TILE_$X / 4u;

struct Place$X {
  at: u32, // element where k = 0
  column: u32, // in a row of the operand, where rows are steps of k
  k: u32, // in the window
  isMissing: bool, // where rows lie along k
}

// The place of the vec4 that is loaded (lane + more)-th, in a window from the place `first` of m or n on. `more` is known
// before, and a multiple of the vec4s in a row of the window, so that all loads of an invocation share what they can.
fn placeOf$X(start: u32, first: u32, lane: u32, more: u32) -> Place$X {
  if (IS_$X_ALONG_K) {
    let row = min(first + lane / (DEPTH / 4u) + more / (DEPTH / 4u), size.$OUTER - 1u);
    return Place$X(start + tableRow$X(row) * size.K, 0u, lane % (DEPTH / 4u) * 4u, isMissing$X(row));
  }
  return Place$X(start, first + lane % QUADS_$X * 4u, lane / QUADS_$X + more / QUADS_$X, false);
}

// each once of QUADS
fn quadOf$X(place: Place$X, k: u32, end: u32) -> vec4f {
  let own = k + place.k;
  if (IS_$X_ALONG_K) {
    let quad = storedQuad$X((place.at + min(own, size.K - 4u)) / 4u);
    return orZero(orNan(quad, place.isMissing), vec4<bool>(own < end));
  }
  let row = min(own, size.K - 1u);
  let quad = storedQuad$X((place.at + tableRow$X(row) * size.$OUTER + min(place.column, size.$OUTER - 4u)) / 4u);
  return orZero(orNan(quad, isMissing$X(row)), vec4<bool>(own < end));
}
// end once
// each once of NUMBERS
fn quadOf$X(place: Place$X, k: u32, end: u32) -> vec4f {
  let own = k + place.k;
  if (IS_$X_ALONG_K) {
    let steps = own + vec4u(0u, 1u, 2u, 3u);
    let at = place.at + min(steps, vec4u(size.K - 1u));
    let quad = vec4f(stored$X(at.x), stored$X(at.y), stored$X(at.z), stored$X(at.w));
    return orZero(orNan(quad, place.isMissing), steps < vec4u(end));
  }
  let row = min(own, size.K - 1u);
  let columns = min(place.column + vec4u(0u, 1u, 2u, 3u), vec4u(size.$OUTER - 1u));
  let at = place.at + tableRow$X(row) * size.$OUTER + columns;
  let quad = vec4f(stored$X(at.x), stored$X(at.y), stored$X(at.z), stored$X(at.w));
  return orZero(orNan(quad, isMissing$X(row)), vec4<bool>(own < end));
}
// end once
