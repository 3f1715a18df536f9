import { elementAt } from '../element-at.js';
import { apply } from '../graph/node.js';
import { requireTrace } from '../graph/trace.js';
import { checkOptions, number, wholeNumber } from '../options.js';
import { add, divide } from '../ops/pointwise/arithmetic.js';
import { square } from '../ops/pointwise/math.js';
import { sum } from '../ops/reduce/sum.js';
import { moveLossScale, skipUnlessFinite } from '../ops/update/loss-scale.js';
import type { Tensor } from '../tensor.js';
import { Variable } from '../variable.js';

/** A scale, and how many good steps in a row there were with it. */
export type LossScaleState = readonly [scale: number, goodSteps: number];

/** Options of {@link LossScale}. */
export interface LossScaleOptions {
  /** The scale of the first step. Default 65536, as PyTorch's. */
  readonly initial?: number;
  /** Good steps in a row after which it is doubled. Default 2000. */
  readonly interval?: number;
}

/**
 * What a loss is multiplied by, so that the gradients of what is stored as 16-bit floats ({@link autocast}) do not vanish:
 * as large as leaves them finite (dynamic loss scaling, Micikevicius et al. 2018; PyTorch: `torch.amp.GradScaler`, Keras:
 * `LossScaleOptimizer`).
 *
 *     const lossScale = new LossScale();
 *     optimizer.minimize(loss, model.parameters(), { lossScale });
 *
 * Gradients are divided by it again before anything else is done with them. A step in which one of them is not finite changes
 * no parameter and halves the scale; the optimizer counts it nevertheless. After `interval` good steps in a row it is
 * doubled. It stays between 1 and 2^24. All that happens on the device: a replay asks the host nothing. It is a part of the
 * optimizer's state. Throws OptionError for bad options.
 */
export class LossScale {
  readonly #scale: Variable;
  readonly #goodSteps: Variable;
  readonly #interval: number;

  constructor(options: LossScaleOptions = {}) {
    checkOptions('LossScale', options, {
      initial: number({ min: 1, max: 2 ** 24 }),
      interval: wholeNumber({ min: 1, max: 2 ** 24 }),
    });
    const { initial = 65_536, interval = 2000 } = options;
    this.#scale = new Variable('loss_scale', Float32Array.of(initial), []);
    this.#goodSteps = new Variable('loss_scale.good_steps', Float32Array.of(0), []);
    this.#interval = interval;
  }

  /** The scale of the next step, and the good steps behind it. */
  async state(): Promise<LossScaleState> {
    const [scale, steps] = await Promise.all([this.#scale.data(), this.#goodSteps.data()]);
    return [elementAt(scale, 0), elementAt(steps, 0)];
  }

  /** Goes on from what {@link LossScale.state | state} gave. */
  loadState([scale, goodSteps]: LossScaleState): void {
    this.#scale.set(Float32Array.of(scale));
    this.#goodSteps.set(Float32Array.of(goodSteps));
  }

  /** @internal Whether it keeps something there. */
  owns(variable: Variable): boolean {
    return variable === this.#scale || variable === this.#goodSteps;
  }

  /** @internal What the gradient of a loss begins with. */
  get value(): Tensor {
    return this.#scale.value;
  }

  /**
   * @internal Gradients of a loss that began with it, as they would be without it; what is to be skipped unless they are finite are
   * the steps of optimizers with these states. At the end of the trace the scale moves on.
   */
  unscaled(
    gradients: readonly Tensor[],
    states: readonly { readonly state: Variable; readonly members: number }[],
  ): Tensor[] {
    // Finite where all are, for what is not stays so in a sum.
    const total = gradients.map((gradient) => sum(square(gradient))).reduce((all, each) => add(all, each));
    for (const { state, members } of states) {
      const [next] = apply(skipUnlessFinite, [state.value, total], { members });
      if (next) state.update(next);
    }
    requireTrace('a loss scale').atEnd(this, () => {
      const moved = apply(moveLossScale, [this.value, this.#goodSteps.value, total], { interval: this.#interval });
      this.#scale.update(elementAt(moved, 0));
      this.#goodSteps.update(elementAt(moved, 1));
    });
    return gradients.map((gradient) => divide(gradient, this.value));
  }

  /** Frees its buffers. */
  dispose(): void {
    this.#scale.dispose();
    this.#goodSteps.dispose();
  }
}
