/** How one operation of a size came by its kernels. */
export interface TuningChoice {
  /** Name of the operation, with what it was fused with. */
  readonly operation: string;
  /** Shapes of its inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** The variant that is used. */
  readonly variant: string;
  /** Whether it was measured now or remembered from an earlier run. */
  readonly source: 'measured' | 'remembered';
  /** What became of each variant, by name, in the order in which they were tried; empty if the choice was remembered. */
  readonly trials: Readonly<Record<string, TuningTrial>>;
}

/** What became of a variant. */
export interface TuningTrial {
  /**
   * `taken`; `slower`, also where it was given up after few runs; `wrong`, by the reference; `refused` by the GPU; or
   * `unchecked`: all of it would have taken over 100 ms, and a part of it cannot be compared with the reference.
   */
  readonly outcome: 'taken' | 'slower' | 'wrong' | 'refused' | 'unchecked';
  /** Of one execution, in the fastest of its runs; undefined where it was not timed. */
  readonly milliseconds?: number;
  /** The same in the slowest of its runs. */
  readonly slowest?: number;
  /** How many runs were timed. */
  readonly runs: number;
  /** How much of it was executed: below 1 where all of it would have taken over 100 ms. Times are those of the whole. */
  readonly part: number;
}

/** What tuning has chosen on a device so far. */
export interface TuningReport {
  /** One entry for each operation and size that has several variants. */
  readonly choices: readonly TuningChoice[];
  /** Variants that gave wrong results or were refused, which are never used, and a store that could not be written. */
  readonly warnings: readonly string[];
}
