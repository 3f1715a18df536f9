// extremes.wgsl: the larger and the smaller of two numbers; NaN where either is. Joined into reduce.wgsl for maximum and
// minimum. They are chosen as bits: compilers may take it that no float is NaN.

fn nanOr(chosen: Word, a: Word, b: Word) -> Element {
  let orB = select(chosen, b, (b & Word(0x7fffffffu)) > Word(0x7f800000u));
  return bitcast<Element>(select(orB, a, (a & Word(0x7fffffffu)) > Word(0x7f800000u)));
}

fn largerOf(a: Element, b: Element) -> Element {
  let bits = bitcast<Word>(a);
  let others = bitcast<Word>(b);
  return nanOr(select(others, bits, a > b), bits, others);
}

fn smallerOf(a: Element, b: Element) -> Element {
  let bits = bitcast<Word>(a);
  let others = bitcast<Word>(b);
  return nanOr(select(others, bits, a < b), bits, others);
}
