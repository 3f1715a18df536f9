// element_one.wgsl: what stages work on in kernels that store one number at a time; element_four.wgsl is its twin. Joined
// where there are stages (lib/fusion/glue.ts).

alias Element = f32;
alias Word = u32;
const WIDTH = 1u;

fn elementIndex(index: u32) -> u32 {
  return index;
}

fn firstOf(value: Element) -> f32 {
  return value;
}

// Of the four words that philox.wgsl draws for four elements, those of these elements.
fn wordsAt(block: vec4u, index: u32) -> Word {
  return block[index % 4u];
}
