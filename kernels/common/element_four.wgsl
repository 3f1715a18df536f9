// element_four.wgsl: what stages work on in kernels that store four numbers in a row at a time; element_one.wgsl is its
// twin. Joined where there are stages (lib/fusion/glue.ts).

alias Element = vec4f;
alias Word = vec4u;
const WIDTH = 4u;

// Where the element of an array stands that begins with number `index`. A shift: SwiftShader divides lane by lane.
fn elementIndex(index: u32) -> u32 {
  return index >> 2u;
}

fn firstOf(value: Element) -> f32 {
  return value.x;
}

// Of the four words that philox.wgsl draws for four elements, those of these elements.
fn wordsAt(block: vec4u, index: u32) -> Word {
  return block;
}
