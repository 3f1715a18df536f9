/** The camera: from the light of a scene to the bytes of a picture, with the flaws of a small sensor behind a small lens. */
import { type Colour, scale } from './backgrounds.js';
import { clamp, type Random } from './random.js';
import { type Scene, trace } from './scene.js';

/** Rays for each pixel, in each direction. */
const RAYS = 3;

/**
 * Brightness goes in steps of this many of the 255 levels: nobody sees it, and the PNG files are a good deal smaller.
 */
const LEVEL_STEP = 4;

interface Camera {
  readonly exposure: number;
  /** Side, in pixels, of the square over which one pixel averages its rays: above 1 the picture is a little soft. */
  readonly blur: number;
  /** Darkening towards the corners. */
  readonly vignette: number;
  /** Standard deviation of the sensor's noise, in levels of 255. */
  readonly noise: number;
}

/** Takes a photo of the scene: RGBA bytes, [height, width, 4]. */
export function photograph(scene: Scene, width: number, height: number, random: Random): Buffer {
  const camera: Camera = {
    exposure: random.uniform(0.75, 1.25),
    blur: random.uniform(0.9, 1.5),
    vignette: random.uniform(0.2, 0.6),
    noise: random.uniform(0.3, 1),
  };
  const pixels = Buffer.alloc(width * height * 4, 255);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const u = (column + 0.5) / width - 0.5;
      const v = (height / 2 - row - 0.5) / width; // the unit is the width in both directions
      const light = expose(scene, camera, u, v, 1 / width);
      const jitter = camera.noise * random.normal(); // of brightness only: noise in colour looks worse and packs worse
      for (const [channel, linear] of light.entries()) {
        const level = Math.round((255 * tone(linear) + jitter) / LEVEL_STEP) * LEVEL_STEP;
        pixels[(row * width + column) * 4 + channel] = clamp(level, 0, 255);
      }
    }
  }
  return pixels;
}

/** Light that falls on the pixel of side `pixel` around (u, v): the mean of a grid of rays. */
function expose(scene: Scene, camera: Camera, u: number, v: number, pixel: number): Colour {
  const spacing = (camera.blur * pixel) / RAYS;
  let [red, green, blue] = [0, 0, 0];
  for (let i = 0; i < RAYS; i++) {
    for (let j = 0; j < RAYS; j++) {
      const [r, g, b] = trace(scene, u + (i - (RAYS - 1) / 2) * spacing, v + (j - (RAYS - 1) / 2) * spacing);
      red += r;
      green += g;
      blue += b;
    }
  }
  const shade = camera.exposure * (1 - camera.vignette * (u * u + v * v));
  return scale([red, green, blue], shade / (RAYS * RAYS));
}

/** From linear light to a brightness in [0, 1]: the usual gamma, with the highlights rolled off rather than cut. */
function tone(linear: number): number {
  const rolled = linear < 0.6 ? linear : 0.6 + 0.4 * (1 - Math.exp((0.6 - linear) / 0.4));
  return rolled ** (1 / 2.2);
}
