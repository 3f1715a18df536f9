import { Dense, Dropout, type LabelledData, RandomStream, ReLU, Sequential } from '../../lib/index.js';

/** Two overlapping clouds of points, one a class, taken in turn: learned in a few dozen steps, but not without error. */
export function clouds(count: number, columns: number, seed = 1): LabelledData {
  const noise = new RandomStream(seed, 'clouds').normal(count * columns);
  const inputs = noise.map((value, i) => value + (Math.floor(i / columns) % 2 === 0 ? 0.5 : -0.5));
  const labels = Int32Array.from({ length: count }, (_, row) => row % 2);
  return { inputs, inputShape: [columns], labels, classNames: ['up', 'down'] };
}

/** Dense -> ReLU -> Dropout -> Dense, as MyNet. */
export function net(hidden: number, dropout: number): Sequential {
  return new Sequential({
    fc1: new Dense(hidden),
    relu: new ReLU(),
    dropout: new Dropout(dropout),
    fc2: new Dense(2),
  });
}

/** All weights, one array a parameter. */
export async function weightsOf(model: Sequential): Promise<Float32Array[]> {
  return Promise.all(model.parameters().map(async (parameter) => Float32Array.from(await parameter.data())));
}
