/** A square picture that is painted on: areas and lines with smooth edges, in colours that lie over one another. */
import { PNG } from 'pngjs';
import { clamp, mix, type Random } from '../pictures/random.js';
import { distanceTo, type Path, segments } from './paths.js';

/** Red, green and blue, from 0 to 1. */
export type Colour = readonly [red: number, green: number, blue: number];

export class Canvas {
  readonly size: number;
  /** [size, size, 3] */
  readonly #pixels: Float32Array;

  /** @param colourAt of each pixel */
  constructor(size: number, colourAt: (x: number, y: number) => Colour) {
    this.size = size;
    this.#pixels = new Float32Array(size * size * 3);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) this.#pixels.set(colourAt(x + 0.5, y + 0.5), (y * size + x) * 3);
    }
  }

  /** Paints what is inside of an odd number of the paths, so that a path in another one is a hole. */
  fill(paths: readonly Path[], colour: Colour, opacity = 1): void {
    const all = paths.flatMap(segments);
    this.#cover(paths, 1, colour, opacity, (x, y) => {
      let [nearest, isInside] = [Infinity, false];
      for (const segment of all) {
        const [[ax, ay], [bx, by]] = segment;
        nearest = Math.min(nearest, distanceTo(segment, x, y));
        if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) isInside = !isInside;
      }
      return clamp(0.5 + (isInside ? nearest : -nearest), 0, 1);
    });
  }

  /** Draws along a path with a round pen of this width. */
  stroke(path: Path, width: number, colour: Colour, opacity = 1): void {
    const all = segments(path);
    this.#cover([path], 1 + width / 2, colour, opacity, (x, y) => {
      const nearest = all.reduce((least, segment) => Math.min(least, distanceTo(segment, x, y)), Infinity);
      return clamp(0.5 + width / 2 - nearest, 0, 1) * Math.min(width, 1); // a line thinner than a pixel is paler
    });
  }

  /** Paints the pixels that are no farther than `reach` from the box around the paths. */
  #cover(
    paths: readonly Path[],
    reach: number,
    [red, green, blue]: Colour,
    opacity: number,
    coverageAt: (x: number, y: number) => number,
  ): void {
    const pixels = this.#pixels;
    const rangeOf = (axis: 0 | 1): readonly [from: number, to: number] => {
      const places = paths.flatMap(({ points }) => points.map((point) => point[axis]));
      return [
        Math.max(0, Math.floor(Math.min(...places) - reach)),
        Math.min(this.size, Math.ceil(Math.max(...places) + reach)),
      ];
    };
    const [[left, right], [top, bottom]] = [rangeOf(0), rangeOf(1)];
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const share = opacity * coverageAt(x + 0.5, y + 0.5);
        if (share === 0) continue;
        const at = (y * this.size + x) * 3;
        pixels[at] = mix(pixels[at] ?? 0, red, share);
        pixels[at + 1] = mix(pixels[at + 1] ?? 0, green, share);
        pixels[at + 2] = mix(pixels[at + 2] ?? 0, blue, share);
      }
    }
  }

  /** The picture as a PNG file, with the noise of a sensor. */
  png(random: Random, noise: number): Buffer {
    const png = new PNG({ width: this.size, height: this.size });
    for (let i = 0; i < this.size * this.size; i++) {
      const jitter = noise * random.normal();
      for (let channel = 0; channel < 3; channel++) {
        png.data[4 * i + channel] = clamp(Math.round(255 * (this.#pixels[3 * i + channel] ?? 0) + jitter), 0, 255);
      }
      png.data[4 * i + 3] = 255;
    }
    return PNG.sync.write(png, { colorType: 2, inputHasAlpha: true });
  }
}

/** A colour of this hue (0 to 1, red at 0), saturation and lightness. */
export function coloured(hue: number, saturation: number, lightness: number): Colour {
  const channel = (offset: number): number => {
    const place = (offset + 12 * hue) % 12;
    return lightness - saturation * Math.min(lightness, 1 - lightness) * clamp(Math.min(place - 3, 9 - place), -1, 1);
  };
  return [channel(0), channel(8), channel(4)];
}

/** How bright a colour looks. */
export function brightness([red, green, blue]: Colour): number {
  return 0.3 * red + 0.59 * green + 0.11 * blue;
}

export function blend(a: Colour, b: Colour, t: number): Colour {
  return [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)];
}
