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
  /** Milliseconds of one execution of each variant that was timed to the end or dropped as slower; empty if remembered. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** What tuning has chosen on a device so far. */
export interface TuningReport {
  /** One entry for each operation and size that has several variants. */
  readonly choices: readonly TuningChoice[];
  /** Variants that gave wrong results or were refused, which are never used, and a store that could not be written. */
  readonly warnings: readonly string[];
}
