import { apply, applyOne } from '../../graph/node.js';
import { drawViews } from '../../ops/augment/draw-views.js';
import { coloursOf, type ViewSettings } from '../../ops/augment/view-settings.js';
import { mixupPartners } from '../../ops/augment/mixup-partners.js';
import { sampleViews } from '../../ops/augment/sample-views.js';
import { gather } from '../../ops/moving/gather.js';
import { reshape } from '../../ops/moving/reshape.js';
import { add, multiply, subtract } from '../../ops/pointwise/arithmetic.js';
import { elementAt } from '../../element-at.js';
import { tensor, type Tensor } from '../../tensor.js';
import { Variable } from '../../variable.js';
import type { AugmentedPictures, BatchOfViews, BatchPlace } from '../augment.js';
import { inputsOf } from '../input-stream.js';
import { isStreamed, type StreamedData } from '../streamed-data.js';
import { outcomesOf, type TrainingData } from '../training-data.js';
import { largerShareQuantiles } from './beta-quantiles.js';
import type { Normalization } from '../normalization.js';
import { inputShapeOf, type PictureShape } from './picture-shape.js';
import { channelsLast, checkValues, meansOf } from './picture-table.js';

/** Shares of red, green and blue in grey (ITU-R BT.601; torchvision's and Pillow's). */
const LUMA = [0.299, 0.587, 0.114];

/** Quantiles of a distribution that are drawn between. */
const QUANTILES = 1025;

/** How a data set's pictures are augmented. */
export interface Views {
  readonly settings: ViewSettings;
  readonly picture: PictureShape;
  readonly view: PictureShape;
  readonly edge: boolean;
  readonly normalization: Normalization | undefined;
  readonly mixup: number | undefined;
}

/** The pictures of a data set on the device, with what is known of each of them, and their views. */
export class TableOfPictures implements AugmentedPictures {
  readonly #views: Views;
  readonly #count: number;
  readonly #table: Variable;
  readonly #scale: number;
  /** The mean colours of pictures [N, channels]; one row where none is used. */
  readonly #means: Variable;
  /** Those on the host; of streamed pictures, as far as they have been read. */
  readonly #meansSoFar: Float32Array<ArrayBuffer>;
  readonly #files: readonly string[] | undefined;
  /** Of each channel its share in grey, and mean and deviation of the normalization: [3, channels]. */
  readonly #channels: Tensor;
  readonly #quantiles: Tensor | undefined;
  /** The rows of the unit matrix, by class; undefined for targets. */
  readonly #unit: Tensor | undefined;

  constructor(data: TrainingData | StreamedData, views: Views, batchSize: number) {
    const { picture, mixup } = views;
    const { height, width, channels } = picture;
    this.#views = views;
    this.#count = outcomesOf(data).count;
    this.#files = data.files;
    const rows = isStreamed(data) ? Math.min(batchSize, this.#count) : this.#count;
    const inputs = isStreamed(data) ? inputsOf(data, rows) : data.inputs;
    this.#scale = inputs instanceof Uint8Array ? (data.scale ?? 1) : 1;
    const table = channelsLast(inputs, picture);
    if (!isStreamed(data)) this.#check(table, data.files);
    this.#table = new Variable('data.inputs', table, [rows, height, width, channels]);
    const { mean, deviation } = normalizationOf(views);
    const means = usesMeans(views) ? this.#firstMeans(data, table) : new Float32Array(channels);
    this.#meansSoFar = means;
    this.#means = new Variable('data.means', means, [means.length / channels, channels]);
    const shares = channels === 3 ? LUMA : new Array<number>(channels).fill(1 / channels);
    this.#channels = tensor(Float32Array.of(...shares, ...mean, ...deviation), { shape: [3, channels] });
    this.#quantiles = mixup === undefined ? undefined : tensor(largerShareQuantiles(mixup, QUANTILES));
    this.#unit = 'classNames' in data ? unitMatrix(data.classNames.length) : undefined;
  }

  load(inputs: Float32Array | Uint8Array, rows: readonly number[]): void {
    const { picture } = this.#views;
    const { channels } = picture;
    const table = channelsLast(inputs, picture);
    const filled = table.subarray(0, rows.length * picture.height * picture.width * channels);
    const files = this.#files;
    this.#check(filled, files && rows.map((row) => files[row] ?? ''));
    this.#table.set(table);
    if (!usesMeans(this.#views)) return;
    const means = meansOf(filled, this.#scale, picture);
    for (const [i, row] of rows.entries()) {
      this.#meansSoFar.set(means.subarray(i * channels, (i + 1) * channels), row * channels);
    }
    this.#means.set(this.#meansSoFar);
  }

  /** Of streamed pictures none are known yet. */
  #firstMeans(data: TrainingData | StreamedData, table: Float32Array | Uint8Array): Float32Array<ArrayBuffer> {
    const { picture } = this.#views;
    return isStreamed(data) ? new Float32Array(this.#count * picture.channels) : meansOf(table, this.#scale, picture);
  }

  /** Throws DataError where colours are changed, and a number is none. */
  #check(table: Float32Array | Uint8Array, files: readonly string[] | undefined): void {
    const { settings, picture } = this.#views;
    const changesColours = coloursOf(settings) !== 'kept' || settings.noise[1] > 0 || setsColours(this.#views);
    if (changesColours) checkValues(table, { scale: this.#scale, files }, picture, normalizationOf(this.#views));
  }

  next(place: BatchPlace, outcomesOf: (rows: Tensor) => Tensor): BatchOfViews {
    const { rows, state, taken } = place;
    const own = this.#viewsOf(rows, place.tableRows, place);
    if (!this.#quantiles) return { inputs: own };
    const [partners, shares] = apply(mixupPartners, [state, rows, this.#quantiles], { count: this.#count, taken });
    if (!partners || !shares) throw new Error('mixupPartners gives partners and shares');
    const mixed = (a: Tensor, b: Tensor): Tensor => {
      const share = reshape(shares, [rows.size, ...new Array<number>(a.rank - 1).fill(1)]);
      return add(b, multiply(share, subtract(a, b)));
    };
    const inputs = mixed(own, this.#viewsOf(partners, partners, place));
    const [ofRows, ofPartners] = [outcomesOf(rows), outcomesOf(partners)];
    const unit = this.#unit;
    if (!unit) return { inputs, targets: mixed(ofRows, ofPartners) };
    return { inputs, probabilities: mixed(gather(unit, ofRows), gather(unit, ofPartners)) };
  }

  #viewsOf(rows: Tensor, tableRows: Tensor, { state, taken }: BatchPlace): Tensor {
    const { settings, edge, view } = this.#views;
    const operands = [state, rows, this.#means.value, this.#channels];
    const views = applyOne(drawViews, operands, { ...settings, count: this.#count, taken });
    const sampled = applyOne(sampleViews, [this.#table.value, tableRows, views], {
      view: settings.view,
      planar: view.layout === 'channels-first',
      warps: isWarped(settings),
      edge,
      colours: coloursOf(settings),
      noise: settings.noise[0] * settings.noise[1] > 0,
      cutOut: settings.cutOut[1] > 0 ? settings.cutOut[0] : 0,
      scale: this.#scale,
    });
    return reshape(sampled, [rows.size, ...inputShapeOf(view)]);
  }

  dispose(): void {
    this.#table.dispose();
    this.#means.dispose();
  }
}

/** Whether pixels of views lie between pixels of the picture. */
export function isWarped({ picture, view, crop, rotation, scale, shift, perspective }: ViewSettings): boolean {
  const isSqueezed = crop === 'none' && picture.some((size, axis) => size !== view[axis]);
  const isTurned = rotation.some((degrees) => degrees !== 0) || scale.some((factor) => factor !== 1);
  return isSqueezed || isTurned || shift.some((part) => part > 0) || perspective[0] * perspective[1] > 0;
}

/** Whether what is outside of the picture can be seen. */
function seesOutside(settings: ViewSettings): boolean {
  const { crop, padding, picture, view } = settings;
  const isLarger = crop !== 'none' && view.some((size, axis) => size > elementAt(picture, axis));
  return padding > 0 || isLarger || isWarped(settings);
}

/** Whether pixels are set to a colour that is given as a value. */
function setsColours({ settings, edge }: Views): boolean {
  const { fill, cutOut, cutFill } = settings;
  return (seesOutside(settings) && !edge && fill !== null) || (cutOut[1] > 0 && cutFill !== null);
}

function usesMeans({ settings, edge }: Views): boolean {
  const { contrast, fill, cutOut, cutFill } = settings;
  const changesContrast = contrast.some((factor) => factor !== 1);
  return changesContrast || (seesOutside(settings) && !edge && fill === null) || (cutOut[1] > 0 && cutFill === null);
}

/** Of each channel. */
function normalizationOf({ normalization, picture: { channels } }: Views): Normalization {
  return {
    mean: normalization?.mean ?? new Array<number>(channels).fill(0),
    deviation: normalization?.deviation ?? new Array<number>(channels).fill(1),
  };
}

function unitMatrix(size: number): Tensor {
  const numbers = new Float32Array(size * size);
  for (let i = 0; i < size; i++) numbers[i * size + i] = 1;
  return tensor(numbers, { shape: [size, size] });
}
