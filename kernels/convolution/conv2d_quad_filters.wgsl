// conv2d_quad_filters.wgsl: how matmul_quad.wgsl reads the weight in the input gradient, in place of matmul_quad_loads.wgsl,
// whose contract it keeps. Joined behind conv2d_matrix.wgsl and conv2d_turned.wgsl. A template: $X is B, $OUTER is N.
//
// Reads       b[k, c] = weight[o, r, s, c] with k = (r', s', o), rows are steps of k; o moves on with k, then the tap
// Edges       beyond N the last places once more
// Bindings    those of matmul_floats.wgsl
// Launch      none of its own: that of matmul_quad.wgsl
// Variants    QUADS: the picture has a multiple of 4 channels; NUMBERS

struct Four$X {
  columns: vec4u, // from the group's weight on
  o: u32,
  down: u32,
  across: u32,
}

fn four$X(start: u32, place: u32) -> Four$X {
  // each once of QUADS
  return Four$X(start + min(place, size.$OUTER - 4u) + vec4u(0u, 1u, 2u, 3u), 0u, 0u, 0u);
  // end once
  // each once of NUMBERS
  return Four$X(start + min(place + vec4u(0u, 1u, 2u, 3u), vec4u(size.$OUTER - 1u)), 0u, 0u, 0u);
  // end once
}

fn begin$X(own: ptr<function, Four$X>, k: u32) {
  let tap = k / CHANNELS;
  (*own).o = k % CHANNELS;
  (*own).down = tap / TAPS_ACROSS;
  (*own).across = tap % TAPS_ACROSS;
}

fn step$X(own: ptr<function, Four$X>, k: u32) -> vec4f {
  let row = turnedTap((*own).o, (*own).down, (*own).across) * size.$OUTER;
  let o = (*own).o + 1u;
  let isTapOver = o == CHANNELS;
  let across = (*own).across + select(0u, 1u, isTapOver);
  let isRowOver = across == TAPS_ACROSS;
  (*own).o = select(o, 0u, isTapOver);
  (*own).across = select(across, 0u, isRowOver);
  (*own).down += select(0u, 1u, isRowOver);
  let at = row + (*own).columns;
  // each once of QUADS
  return storedQuad$X(at.x >> 2u);
  // end once
  // each once of NUMBERS
  return vec4f(stored$X(at.x), stored$X(at.y), stored$X(at.z), stored$X(at.w));
  // end once
}

fn steps$X(own: ptr<function, Four$X>, k: u32) -> mat4x4f {
  return mat4x4f(step$X(own, k), step$X(own, k + 1u), step$X(own, k + 2u), step$X(own, k + 3u));
}

fn missing$X(own: Four$X) -> vec4f {
  return vec4f();
}
