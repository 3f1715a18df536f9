// stored_elements.wgsl: a tensor that a kernel reads one number at a time (ONE) or four (FOUR), stored as 32-bit floats or as
// 16-bit floats (HALF), which are widened where they are read. A template: $X names the tensor, $Type is what is read.
// kernels/matmul has twins of its own for both widths at once, and for bytes.
//
// Bindings    $BINDING the tensor (f16: two in a word, filled up to whole quads) read
// Cost        16-bit floats: half the bytes; unpacking is core WGSL, so that no adapter needs a feature for it

// each once of WHOLE
@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<$Type>;

fn stored$X(index: u32) -> $Type {
  return elementsOf$X[index];
}
// end once
// each once of HALF
// each own of ONE
@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<u32>;

fn stored$X(index: u32) -> $Type {
  return unpack2x16float(elementsOf$X[index / 2u] >> (16u * (index % 2u))).x;
}
// end own
// each own of FOUR
@group(0) @binding($BINDING) var<storage, read> elementsOf$X: array<vec2u>;

fn stored$X(index: u32) -> $Type {
  let words = elementsOf$X[index];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
// end own
// end once
