// matmul_quad_loads.wgsl: how matmul_quad.wgsl reads an operand, four places of m or of n an invocation: the contract is the
// struct Four$X and the functions behind it, and whoever reads from elsewhere (a convolution from its picture) brings its
// own. A template: $X is A or B, $OUTER the size of its other axis, M or N,
// $ALONG how it is stored where rows lie along k. Joined once for each operand.
//
// Reads       four$X once, for the places from one on; begin$X before steps of k that follow each other; then these, four at
//             a time (steps$X, a column of four places for each step) or one by one (step$X)
// Edges       beyond M or N the last places once more, whose products nobody stores
// Rows        of a table, picked by row numbers (matmul_rows.wgsl): one that the table does not have is noted, and added as
//             NaN in the end (missing$X)
// Bindings    those of matmul_floats.wgsl, matmul_half.wgsl or matmul_bytes.wgsl
// Launch      none of its own: that of matmul_quad.wgsl
// Variants    QUADS: the contiguous axis is a multiple of 4; NUMBERS

struct Four$X {
  start: u32,
  places: vec4u,
  rows: vec4u, // where the stored rows at these places begin, where rows lie along k
  missing: vec4f, // NaN at places whose row a table does not have
  highest: u32, // of the table's rows that steps of k have picked
}

// Whether rows of the operand lie along k.
fn isAlongK$X() -> bool {
  return TRANSPOSE_$X == $ALONG;
}

fn four$X(start: u32, place: u32) -> Four$X {
  let places = min(place + vec4u(0u, 1u, 2u, 3u), vec4u(size.$OUTER - 1u));
  if (!isAlongK$X()) {
    // each once of QUADS
    return Four$X(start, vec4u(min(place, size.$OUTER - 4u)), vec4u(), vec4f(), 0u);
    // end once
    // each once of NUMBERS
    return Four$X(start, places, vec4u(), vec4f(), 0u);
    // end once
  }
  let indices = vec4u(indexOf$X(places.x), indexOf$X(places.y), indexOf$X(places.z), indexOf$X(places.w));
  let missing = nanWhere(vec4<bool>(PICKS_$X) & (indices >= vec4u(size.tableRows$X)));
  let stored = select(indices, min(indices, vec4u(size.tableRows$X - 1u)), vec4<bool>(PICKS_$X));
  return Four$X(start, places, start + stored * size.K, missing, 0u);
}

fn begin$X(own: ptr<function, Four$X>, k: u32) {
}

// Where the row of a step of k is stored. One that a table does not have is noted.
fn rowOf$X(own: ptr<function, Four$X>, k: u32) -> u32 {
  var row = indexOf$X(k);
  if (PICKS_$X) {
    (*own).highest = max((*own).highest, row);
    row = min(row, size.tableRows$X - 1u);
  }
  return (*own).start + row * size.$OUTER;
}

// each once of QUADS
// Across k only: along it K is a multiple of 4.
fn step$X(own: ptr<function, Four$X>, k: u32) -> vec4f {
  return storedQuad$X((rowOf$X(own, k) + (*own).places.x) >> 2u);
}

fn steps$X(own: ptr<function, Four$X>, k: u32) -> mat4x4f {
  if (isAlongK$X()) {
    let quads = ((*own).rows + k) >> vec4u(2u);
    return transpose(mat4x4f(
      storedQuad$X(quads.x),
      storedQuad$X(quads.y),
      storedQuad$X(quads.z),
      storedQuad$X(quads.w),
    ));
  }
  return mat4x4f(step$X(own, k), step$X(own, k + 1u), step$X(own, k + 2u), step$X(own, k + 3u));
}
// end once
// each once of NUMBERS
fn step$X(own: ptr<function, Four$X>, k: u32) -> vec4f {
  var at = (*own).rows + k;
  if (!isAlongK$X()) {
    at = rowOf$X(own, k) + (*own).places;
  }
  return vec4f(stored$X(at.x), stored$X(at.y), stored$X(at.z), stored$X(at.w));
}

fn steps$X(own: ptr<function, Four$X>, k: u32) -> mat4x4f {
  return mat4x4f(step$X(own, k), step$X(own, k + 1u), step$X(own, k + 2u), step$X(own, k + 3u));
}
// end once

fn missing$X(own: Four$X) -> vec4f {
  return own.missing + nanWhere(vec4<bool>(PICKS_$X && own.highest >= size.tableRows$X));
}
