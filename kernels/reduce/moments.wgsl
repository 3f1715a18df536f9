// moments.wgsl: mean and variance of the elements of a row or column, as reduce.wgsl reduces them. Joined into it.
//
// Computes    mean = Σ x / n,  variance = Σ (x - mean)² / n, from x - s, where s is the first element: where all are
//             large and differ by little, their differences have all their digits
//             of two parts: n = nA + nB, mean = meanA · nA / n + meanB · nB / n,
//             squares = squaresA + squaresB + (meanB - meanA)² · nA · nB / n
// Accuracy    never E[x²] - E[x]²; the tree of parts keeps the digits whatever the first element is
// Edges       nothing gives NaN; an infinity an infinite mean, and the variance NaN, as in PyTorch
// Source      Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979

struct Accumulator {
  count: Element,
  mean: Element, // of x - shift
  squares: Element, // Σ (x - mean)²
}

var<private> shift: Element;

fn beginItem(start: u32) {
  let first = valueAt(start);
  let bits = bitcast<Word>(select(Element(firstOf(first)), first, ACROSS));
  let isFinite = (bits & Word(0x7f800000u)) != Word(0x7f800000u);
  shift = bitcast<Element>(select(Word(0u), bits, isFinite));
}

fn neutral(any: f32) -> Accumulator {
  return Accumulator(Element(0.0), Element(0.0), Element(0.0));
}

fn lift(value: Element, place: Word) -> Accumulator {
  return Accumulator(Element(1.0), value - shift, Element(0.0));
}

// Four elements that are reduced together are as many: the first one's count is that of all, in a register of its own.
fn combine(a: Accumulator, b: Accumulator) -> Accumulator {
  let countA = firstOf(a.count);
  let count = countA + firstOf(b.count);
  let share = 1.0 / max(count, 1.0);
  let ofA = countA * share;
  let ofB = firstOf(b.count) * share;
  let step = b.mean - a.mean;
  return Accumulator(Element(count), a.mean * ofA + b.mean * ofB, a.squares + b.squares + step * step * (countA * ofB));
}

fn orNan(value: Element, count: f32) -> Element {
  return bitcast<Element>(select(Word(0x7fc00000u), bitcast<Word>(value), count > 0.0));
}

fn meanOf(total: Accumulator) -> Element {
  return orNan(total.mean + shift, firstOf(total.count));
}

fn varianceOf(total: Accumulator) -> Element {
  return orNan(total.squares / max(firstOf(total.count), 1.0), firstOf(total.count));
}
