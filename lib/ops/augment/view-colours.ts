import { elementAt } from '../../element-at.js';
import { unitFloat } from '../../random.js';
import { type Draws, FIRST_GAIN } from './view-draws.js';
import { placeIn } from './view-record.js';
import { coloursOf, type ViewSettings } from './view-settings.js';

/**
 * A turn of the colour wheel that keeps the brightness: the matrix of `hueRotate`, W3C, "Filter effects module level 1",
 * feColorMatrix; by rows.
 */
function hueMatrix(turn: number): readonly number[] {
  const [cos, sin] = [Math.cos(2 * Math.PI * turn), Math.sin(2 * Math.PI * turn)];
  return [
    ...[0.213 + cos * 0.787 - sin * 0.213, 0.715 - cos * 0.715 - sin * 0.715, 0.072 - cos * 0.072 + sin * 0.928],
    ...[0.213 - cos * 0.213 + sin * 0.143, 0.715 + cos * 0.285 + sin * 0.14, 0.072 - cos * 0.072 - sin * 0.283],
    ...[0.213 - cos * 0.213 - sin * 0.787, 0.715 - cos * 0.715 + sin * 0.715, 0.072 + cos * 0.928 + sin * 0.072],
  ];
}

/** A channel of the pictures: its share in grey, and how its numbers are made of values from 0 to 1. */
interface Channel {
  readonly share: number;
  readonly mean: number;
  readonly deviation: number;
  /** The mean number of the picture. */
  readonly average: number;
}

/** Sets the numbers of a record behind its head. */
export function setColours(
  set: (place: number, value: number) => void,
  settings: ViewSettings,
  draws: Draws,
  channels: readonly Channel[],
): void {
  const { fill, cutFill } = settings;
  const colours = coloursOf(settings);
  const grey = channels.reduce(
    (sum, { share, mean, deviation, average }) => sum + share * (average * deviation + mean),
    0,
  );
  const contrast = draws.between('contrast', settings.contrast);
  const brightness = draws.between('brightness', settings.brightness);
  const [low, high] = settings.gain;
  const gains = channels.map((_, c) => {
    const drawn = low === high ? 0 : unitFloat(draws.bits([FIRST_GAIN + Math.floor(c / 4), c % 4]));
    return brightness * (low + (high - low) * drawn);
  });
  const mix = colours === 'mixed' ? hueMatrix(draws.between('hue', settings.hue)) : undefined;
  const shareOf = (c: number, from: number): number => (mix ? elementAt(mix, 3 * c + from) : Number(c === from));
  channels.forEach(({ mean, deviation, average }, c) => {
    const number = (value: number): number => (value - mean) / deviation;
    // value' = Σ over the channels of factor · value, and `added`.
    let [added, ofGrey, ofMeans] = [0, 0, 0];
    channels.forEach((other, from) => {
      if (!mix && from !== c) return;
      const gain = shareOf(c, from) * elementAt(gains, from);
      const factor = contrast * gain;
      added += (1 - contrast) * gain * grey;
      ofGrey += factor * grey;
      ofMeans += factor * other.mean;
      if (mix) set(placeIn('gain', c, from), (factor * other.deviation) / deviation);
      else set(placeIn('gain', c), factor);
    });
    const cut = ofGrey + added;
    set(placeIn('fill', c), fill === null ? average : number(fill));
    set(placeIn('cutFill', c), number(cutFill ?? (colours === 'kept' ? cut : Math.min(Math.max(cut, 0), 1))));
    set(placeIn('low', c), number(0));
    set(placeIn('high', c), number(1));
    set(placeIn('offset', c), number(ofMeans + added));
  });
}
