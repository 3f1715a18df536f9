// conv2d_patches.wgsl: how matmul_tiled.wgsl reads the patches of pictures (conv2d_matrix.wgsl), in place of
// matmul_loads.wgsl, whose contract it keeps. A template: $X is A or B, $OUTER the size of its other axis, M or N.
//
// Reads       Along k, rows are windows and a vec4 is four taps: the operand of conv2d and of the input gradient. Across k,
//             rows are taps and k counts windows: that of the weight gradient; a vec4 is four taps, again.
//             The place of the row or of the column is computed once, in placeOf$X; the other one in quadOf$X, by two
//             multiplications for each division by a constant.
// Cost        beside a load: an addition for each of at, h and x, two comparisons, two selects; it is a few percent of the
//             512 multiply-adds an invocation that a strip is used for, in tiles of 32 x 32
// Edges       beyond M or N: the last place once more, whose products nobody stores; beyond `end` in k, and beside the
//             picture: 0, read from the picture's first element
// Bindings    those of matmul_floats.wgsl
// Launch      none of its own: that of the matmul kernel
// Variants    QUADS: CHANNELS is a multiple of 4, so that four taps lie side by side; NUMBERS: each has a place of its own

// begin window
const IS_$X_ALONG_K = true;
const TILE_$X = 64u;
// end window

const QUADS_$X = TILE_$X / 4u;

// each once of QUADS
struct Place$X {
  place: Place, // of the window, or of the first tap
  k: u32, // in the window that moves along k
}

fn placeOf$X(start: u32, first: u32, lane: u32, more: u32) -> Place$X {
  var own: Place$X;
  if (IS_$X_ALONG_K) {
    let m = min(first + lane / (DEPTH / 4u) + more / (DEPTH / 4u), size.$OUTER - 1u);
    own = Place$X(windowAt(m), lane % (DEPTH / 4u) * 4u);
  } else {
    let n = min(first + lane % QUADS_$X * 4u, size.$OUTER - 4u);
    own = Place$X(tapAt(n), lane / QUADS_$X + more / QUADS_$X);
  }
  own.place.at += start;
  return own;
}

fn quadOf$X(own: Place$X, k: u32, end: u32) -> vec4f {
  let step = k + own.k;
  var other: Place;
  if (IS_$X_ALONG_K) {
    other = tapAt(step);
  } else {
    other = windowAt(step);
  }
  let isInside = step < end && isInPicture(own.place.h + other.h, own.place.x + other.x);
  let quad = storedQuad$X(select(0u, own.place.at + other.at, isInside) / 4u);
  return orZero(quad, vec4<bool>(isInside));
}
// end once
// each once of NUMBERS
struct Place$X {
  places: FourPlaces,
  k: u32,
}

fn placeOf$X(start: u32, first: u32, lane: u32, more: u32) -> Place$X {
  var own: Place$X;
  if (IS_$X_ALONG_K) {
    let m = min(first + lane / (DEPTH / 4u) + more / (DEPTH / 4u), size.$OUTER - 1u);
    let window = windowAt(m);
    own = Place$X(four(window, window, window, window), lane % (DEPTH / 4u) * 4u);
  } else {
    let n = min(first + lane % QUADS_$X * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(size.$OUTER - 1u));
    own = Place$X(fourTaps(n), lane / QUADS_$X + more / QUADS_$X);
  }
  own.places.at += start;
  return own;
}

fn quadOf$X(own: Place$X, k: u32, end: u32) -> vec4f {
  var steps = vec4u(k + own.k);
  var others: FourPlaces;
  if (IS_$X_ALONG_K) {
    steps += vec4u(0u, 1u, 2u, 3u);
    others = fourTaps(steps);
  } else {
    let window = windowAt(steps.x);
    others = four(window, window, window, window);
  }
  let areInside = (steps < vec4u(end)) & areInPicture(own.places.h + others.h, own.places.x + others.x);
  let at = select(vec4u(0u), own.places.at + others.at, areInside);
  return orZero(vec4f(stored$X(at.x), stored$X(at.y), stored$X(at.z), stored$X(at.w)), areInside);
}
// end once
