// softmax.wgsl: softmax or its logarithm, as reduce.wgsl and normalize.wgsl compute it. Joined into them behind extremes.wgsl.
//
// Computes    m = max x, s = Σ exp(x - m);  softmax: exp(x - m) / s;  logarithm: x - m - log(s)
//             of two parts of a row, s = sA · exp(mA - m) + sB · exp(mB - m), so that a row is read once for both
// Edges       a row whose maximum is NaN or infinite (a NaN, +Inf, or nothing but -Inf in it) is NaN throughout,
//             told by bits, because x - m = Inf - Inf is not NaN on every adapter
// Source      maximum subtracted first: Goodfellow, Bengio, Courville, "Deep Learning", section 4.1; in one pass: Milakov,
//             Gimelshein, "Online normalizer calculation for softmax", 2018

override LOGARITHM: bool = false;

struct Accumulator {
  largest: Element,
  sum: Element,
}

fn neutral(any: f32) -> Accumulator {
  return Accumulator(Element(-infinity(any)), Element(0.0));
}

fn lift(value: Element, place: Word) -> Accumulator {
  return Accumulator(value, Element(1.0));
}

fn combine(a: Accumulator, b: Accumulator) -> Accumulator {
  let largest = largerOf(a.largest, b.largest);
  let ofA = select(exp(a.largest - largest), Element(1.0), a.largest == largest);
  let ofB = select(exp(b.largest - largest), Element(1.0), b.largest == largest);
  return Accumulator(largest, a.sum * ofA + b.sum * ofB);
}

fn normalized(value: Element, total: Accumulator) -> Element {
  let shifted = value - total.largest;
  var result = shifted - log(total.sum);
  if (!LOGARITHM) {
    result = exp(shifted) / total.sum;
  }
  let isDefined = (bitcast<Word>(total.largest) & Word(0x7f800000u)) != Word(0x7f800000u);
  return bitcast<Element>(select(Word(0x7fc00000u), bitcast<Word>(result), isDefined));
}
