// argmax.wgsl: the largest element and where it stands: the first one where there are several, the first NaN where there is
// any. Joined into reduce.wgsl; the block `element` is the type.

// begin element
// The bits of a number without its sign are above this for NaN.
const NAN_ABOVE = 0x7f800000u;

fn lowest(any: f32) -> Element {
  return Element(-infinity(any));
}
// end element

struct Accumulator {
  value: Element,
  place: Word,
}

fn neutral(any: f32) -> Accumulator {
  return Accumulator(lowest(any), Word(0xffffffffu));
}

fn lift(value: Element, place: Word) -> Accumulator {
  return Accumulator(value, place);
}

fn combine(a: Accumulator, b: Accumulator) -> Accumulator {
  let bits = bitcast<Word>(a.value);
  let others = bitcast<Word>(b.value);
  let isNanA = (bits & Word(0x7fffffffu)) > Word(NAN_ABOVE);
  let isNanB = (others & Word(0x7fffffffu)) > Word(NAN_ABOVE);
  let isAlike = select(a.value == b.value, isNanA, isNanB);
  let isLarger = select(b.value > a.value, isNanB, isNanA | isNanB) & !isNanA;
  let takes = isLarger | (isAlike & (b.place < a.place));
  return Accumulator(bitcast<Element>(select(bits, others, takes)), select(a.place, b.place, takes));
}
