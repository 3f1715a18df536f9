// matmul_stores.wgsl: how matmul_tiled.wgsl stores four elements of a row of C: at once where N is a multiple of 4 (QUADS),
// else one by one (NUMBERS). A template.
//
// Bindings    none of its own: those of C or of stages
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/matmul/matmul.ts

// each once of QUADS
fn storeQuad(matrix: u32, row: u32, column: u32, quad: vec4f) {
  if (row < size.M && column < size.N) {
    putC(quad, rowOfC(matrix, row), column);
  }
}
// end once
// each once of NUMBERS
fn storeQuad(matrix: u32, row: u32, column: u32, quad: vec4f) {
  if (row >= size.M) {
    return;
  }
  var rest = quad;
  for (var i = 0u; i < 4u; i++) {
    if (column + i < size.N) {
      putC(rest.x, rowOfC(matrix, row), column + i);
    }
    rest = rest.yzwx; // an index into a vector that is known at run time only would put it into memory
  }
}
// end once
// each once of ADDS_QUADS
fn addQuad(matrix: u32, row: u32, column: u32, quad: vec4f) {
  if (row < size.M && column < size.N) {
    addC(quad, rowOfC(matrix, row), column);
  }
}
// end once
// each once of ADDS_NUMBERS
fn addQuad(matrix: u32, row: u32, column: u32, quad: vec4f) {
  if (row >= size.M) {
    return;
  }
  var rest = quad;
  for (var i = 0u; i < 4u; i++) {
    if (column + i < size.N) {
      addC(rest.x, rowOfC(matrix, row), column + i);
    }
    rest = rest.yzwx;
  }
}
// end once

// The sum over k of a row of op(A): in parts of C it is its own column behind the others.
fn storeSum(matrix: u32, row: u32, sum: f32) {
  if (row >= size.M) {
    return;
  }
  if (PARTIAL) {
    putC(Element(sum), rowOfC(matrix, row), size.N);
  } else {
    putSum(sum, rowOfC(matrix, row));
  }
}
