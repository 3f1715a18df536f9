// conv2d_filters.wgsl: how matmul_tiled.wgsl reads the weight in the input gradient, in place of matmul_loads.wgsl, whose
// contract it keeps. Joined behind conv2d_matrix.wgsl and conv2d_turned.wgsl. A template: $X is B, $OUTER is N.
//
// Reads       b[k, c] = weight[o, r, s, c] with k = (r', s', o): the taps of a turned window, which are all taps or, at a
//             stride, those of one parity. Rows are steps of k, contiguous along c.
// Edges       beyond N: the last place once more, whose products nobody stores; beyond `end` in k: 0
// Bindings    those of matmul_floats.wgsl
// Launch      none of its own: that of the matmul kernel
// Variants    QUADS: the picture has a multiple of 4 channels; NUMBERS

// begin window
const IS_$X_ALONG_K = false;
const TILE_$X = 64u;
// end window

const QUADS_$X = TILE_$X / 4u;

struct Place$X {
  column: u32,
  k: u32, // in the window that moves along k
}

fn placeOf$X(start: u32, first: u32, lane: u32, more: u32) -> Place$X {
  return Place$X(first + lane % QUADS_$X * 4u, lane / QUADS_$X + more / QUADS_$X);
}

fn quadOf$X(own: Place$X, k: u32, end: u32) -> vec4f {
  let step = k + own.k;
  let isInside = step < end;
  let row = turnedFilter(select(0u, step, isInside)) * size.$OUTER;
  // each once of QUADS
  let quad = storedQuad$X((row + min(own.column, size.$OUTER - 4u)) / 4u);
  // end once
  // each once of NUMBERS
  let at = row + min(own.column + vec4u(0u, 1u, 2u, 3u), vec4u(size.$OUTER - 1u));
  let quad = vec4f(stored$X(at.x), stored$X(at.y), stored$X(at.z), stored$X(at.w));
  // end once
  return orZero(quad, vec4<bool>(isInside));
}
