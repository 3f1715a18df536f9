// conv2d_quad_patches.wgsl: how matmul_quad.wgsl reads the patches of pictures (conv2d_matrix.wgsl), in place of
// matmul_quad_loads.wgsl, whose contract it keeps. A template: $X is A or B, $OUTER the size of its other axis, M or N, and
// $ALONG how it is stored where rows lie along k.
//
// Reads       Along k: four windows, whose places stay, and a tap that moves on with k. Across k: four taps that stay, and a
//             window that moves on. Moving on takes additions and selects, no division.
// Cost        for four steps of k some 20 operations beside the loads and 256 multiply-adds: 85 to 95 % of the rate of a
//             stored matrix on SwiftShader
// Edges       beyond M or N the last places once more; beside the picture 0, read from the picture's first element
// Bindings    those of matmul_floats.wgsl
// Launch      none of its own: that of matmul_quad.wgsl
// Variants    QUADS: CHANNELS is a multiple of 4; NUMBERS

struct Four$X {
  fixed: FourPlaces, // windows along k, taps across it
  moving: Place, // the tap, or the window
  column: u32, // the tap in its run, or the window in its row
  row: u32, // the run in its row of runs, or the window's row
  picture: u32, // n of the window
}

fn isAlongK$X() -> bool {
  return TRANSPOSE_$X == $ALONG;
}

fn four$X(start: u32, place: u32) -> Four$X {
  var own = Four$X();
  let places = min(place + vec4u(0u, 1u, 2u, 3u), vec4u(size.$OUTER - 1u));
  if (isAlongK$X()) {
    own.fixed = fourWindows(places);
  } else {
    // each once of QUADS
    let first = min(place, size.$OUTER - 4u);
    own.fixed = fourTaps(first + vec4u(0u, 1u, 2u, 3u));
    // end once
    // each once of NUMBERS
    own.fixed = fourTaps(places);
    // end once
  }
  own.fixed.at += start;
  return own;
}

fn begin$X(own: ptr<function, Four$X>, k: u32) {
  if (isAlongK$X()) {
    (*own).moving = tapAt(k);
    (*own).column = k % RUN;
    (*own).row = k / RUN % RUNS_ACROSS;
  } else {
    (*own).moving = windowAt(k);
    (*own).column = k % WINDOWS_ACROSS;
    (*own).row = k / WINDOWS_ACROSS % WINDOWS_DOWN;
    (*own).picture = k / (WINDOWS_ACROSS * WINDOWS_DOWN);
  }
}

// By so many taps, which do not leave the run in between.
fn moveTap$X(own: ptr<function, Four$X>, by: u32) {
  let column = (*own).column + by;
  let isRunOver = column == RUN;
  let row = (*own).row + select(0u, 1u, isRunOver);
  let isRowOver = row == RUNS_ACROSS;
  (*own).column = select(column, 0u, isRunOver);
  (*own).row = select(row, 0u, isRowOver);
  let h = (*own).moving.h + select(0u, DILATION_DOWN, isRowOver);
  let x = (*own).row * (DILATION_ACROSS * PIXEL) + (*own).column;
  (*own).moving = Place(h * ROW + x, h, x);
}

fn moveWindow$X(own: ptr<function, Four$X>) {
  let column = (*own).column + 1u;
  let isRowOver = column == WINDOWS_ACROSS;
  let row = (*own).row + select(0u, 1u, isRowOver);
  let isPictureOver = row == WINDOWS_DOWN;
  (*own).column = select(column, 0u, isRowOver);
  (*own).row = select(row, 0u, isPictureOver);
  (*own).picture += select(0u, 1u, isPictureOver);
  (*own).moving = windowPlace((*own).picture, (*own).row, (*own).column);
}

fn step$X(own: ptr<function, Four$X>, k: u32) -> vec4f {
  let moving = (*own).moving;
  let fixed = (*own).fixed;
  var quad: vec4f;
  // each once of QUADS
  // Across k only: along it K is a multiple of 4.
  let isInside = isInPicture(fixed.h.x + moving.h, fixed.x.x + moving.x);
  quad = orZero(storedQuad$X(select(0u, fixed.at.x + moving.at, isInside) >> 2u), vec4<bool>(isInside));
  moveWindow$X(own);
  // end once
  // each once of NUMBERS
  let areInside = areInPicture(fixed.h + moving.h, fixed.x + moving.x);
  let at = select(vec4u(0u), fixed.at + moving.at, areInside);
  quad = orZero(vec4f(stored$X(at.x), stored$X(at.y), stored$X(at.z), stored$X(at.w)), areInside);
  if (isAlongK$X()) {
    moveTap$X(own, 1u);
  } else {
    moveWindow$X(own);
  }
  // end once
  return quad;
}

fn steps$X(own: ptr<function, Four$X>, k: u32) -> mat4x4f {
  // each once of QUADS
  if (isAlongK$X()) {
    let moving = (*own).moving;
    let fixed = (*own).fixed;
    let areInside = areInPicture(fixed.h + moving.h, fixed.x + moving.x);
    let quads = select(vec4u(0u), fixed.at + moving.at, areInside) >> vec4u(2u);
    moveTap$X(own, 4u);
    return transpose(mat4x4f(
      orZero(storedQuad$X(quads.x), vec4<bool>(areInside.x)),
      orZero(storedQuad$X(quads.y), vec4<bool>(areInside.y)),
      orZero(storedQuad$X(quads.z), vec4<bool>(areInside.z)),
      orZero(storedQuad$X(quads.w), vec4<bool>(areInside.w)),
    ));
  }
  // end once
  return mat4x4f(step$X(own, k), step$X(own, k + 1u), step$X(own, k + 2u), step$X(own, k + 3u));
}

fn missing$X(own: Four$X) -> vec4f {
  return vec4f();
}
