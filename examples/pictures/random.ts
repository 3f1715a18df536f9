/** Seeded randomness: a stream of random numbers, and noise that is a fixed function of a position. */

/** A stream of random numbers that is the same on every machine for the same seed (mulberry32, T. Ettinger 2017). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** The next number, uniform in [from, to). */
  uniform(from = 0, to = 1): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return from + ((to - from) * ((t ^ (t >>> 14)) >>> 0)) / 2 ** 32;
  }

  /** A whole number in [0, 2³²), to seed noise or another stream with. */
  seed(): number {
    return Math.floor(this.uniform(0, 2 ** 32));
  }

  /** A standard normal number, by the Box-Muller transform. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** One of the choices, each as likely as the others. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.uniform(0, choices.length))] ?? choices[0];
  }
}

/** A number in [0, 1) that depends on nothing but the cell (i, j) of a grid and the seed. */
export function hash(i: number, j: number, seed: number): number {
  let h = Math.imul(i, 0x27d4eb2f) ^ Math.imul(j, 0x165667b1) ^ seed;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Smooth noise in [0, 1): hashes of the cells' corners, interpolated with the cubic 3t² − 2t³ (value noise). */
export function noise(x: number, y: number, seed: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const u = smooth(x - i);
  const v = smooth(y - j);
  const lower = mix(hash(i, j, seed), hash(i + 1, j, seed), u);
  const upper = mix(hash(i, j + 1, seed), hash(i + 1, j + 1, seed), u);
  return mix(lower, upper, v);
}

/** Noise in [0, 1) with detail at several scales: each octave has twice the frequency and half the amplitude. */
export function fractalNoise(x: number, y: number, seed: number, octaves: number): number {
  let sum = 0;
  let amplitude = 1;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    const frequency = 2 ** octave;
    sum += amplitude * noise(x * frequency, y * frequency, seed + octave);
    total += amplitude;
    amplitude /= 2;
  }
  return sum / total;
}

export function mix(from: number, to: number, t: number): number {
  return from + (to - from) * t;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** 0 below `low`, 1 above `high`, smooth between them. */
export function smoothstep(low: number, high: number, value: number): number {
  return smooth(clamp((value - low) / (high - low), 0, 1));
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}
