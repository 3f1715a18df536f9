/**
 * Errors that a user can act on. Each message names the value, what was expected and where it came from. Command-line
 * programs print the message alone (no stack trace) for anything that is a {@link KernelwrightError}.
 */
export class KernelwrightError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes that do not fit together, or a size that is negative or fractional; the message names the shapes. */
export class ShapeError extends KernelwrightError {}

/** An option or argument that is unknown or out of its range; the message names it and says what is allowed. */
export class OptionError extends KernelwrightError {}

/** Data that cannot be used: missing or broken files, NaN in the input, labels out of range. */
export class DataError extends KernelwrightError {}

/** A function that is being traced did something that depends on values, or state was used outside of its place. */
export class TraceError extends KernelwrightError {}

/** A device that cannot be opened, or refused an allocation or a kernel; the message names the operation or limit. */
export class DeviceError extends KernelwrightError {}

/**
 * A plan or a tensor that the device has no room for; the message says what it needs and what there is. It is thrown
 * before anything of the plan is allocated.
 */
export class DeviceMemoryError extends DeviceError {}

/** The device was lost (driver reset, adapter removed); everything pending is rejected with this error. */
export class DeviceLostError extends DeviceError {}

/** Training cannot go on, for example because the loss is not finite. */
export class TrainingError extends KernelwrightError {
  /** The training step (counted from 1 over the whole training) at which it happened. */
  readonly step: number;

  constructor(message: string, step: number) {
    super(message);
    this.step = step;
  }
}
