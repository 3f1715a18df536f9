/** Ten things, as a child would draw them: areas in colours, one over the other. */
import { type Colour, coloured } from '../drawings/canvas.js';
import { arc, around, circle, closed, ellipse, line, type Path, polygon, rectangle } from '../drawings/paths.js';
import type { Random } from '../pictures/random.js';

/** An area in one colour, or, with a width, a line; widths are shares of half the figure's size. */
export interface Layer {
  readonly paths: readonly Path[];
  readonly colour: Colour;
  readonly width?: number;
}

/** The layers of a figure, the lowest first, in a frame from -1 to 1. */
export type DrawObject = (random: Random) => Layer[];

/** Any lively colour. */
function lively(random: Random): Colour {
  return coloured(random.uniform(), random.uniform(0.5, 0.95), random.uniform(0.3, 0.65));
}

const area = (colour: Colour, ...paths: readonly Path[]): Layer => ({ paths, colour });
const stroke = (colour: Colour, width: number, ...paths: readonly Path[]): Layer => ({ paths, colour, width });

const dark: Colour = [0.15, 0.13, 0.12];
const brown = (random: Random): Colour => coloured(random.uniform(0.05, 0.1), random.uniform(0.3, 0.6), 0.32);

function boat(random: Random): Layer[] {
  const [left, mast] = [random.uniform(-0.6, -0.3), random.uniform(-0.15, 0.1)];
  return [
    stroke(brown(random), 0.09, line([mast, 0.4], [mast, -0.95])),
    area(lively(random), polygon([mast + 0.1, -0.85], [mast + 0.1, 0.25], [0.8, 0.25])),
    area(lively(random), polygon([mast - 0.08, -0.6], [mast - 0.08, 0.25], [left - 0.15, 0.25])),
    area(lively(random), polygon([-0.95, 0.4], [0.95, 0.4], [0.65, 0.85], [-0.6, 0.85])),
  ];
}

function car(random: Random): Layer[] {
  const [front, height] = [random.uniform(0.3, 0.5), random.uniform(-0.55, -0.4)];
  const paint = lively(random);
  const pane: Colour = [0.75, 0.88, 0.95];
  const wheel = (x: number): Layer[] => [
    area(dark, circle(x, 0.42, 0.24)),
    area([0.75, 0.75, 0.75], circle(x, 0.42, 0.1)),
  ];
  return [
    area(paint, polygon([-0.65, -0.02], [-0.42, height], [front - 0.1, height], [front + 0.2, -0.02])),
    area(pane, polygon([-0.48, -0.04], [-0.34, height + 0.1], [-0.05, height + 0.1], [-0.05, -0.04])),
    area(pane, polygon([0.05, -0.04], [0.05, height + 0.1], [front - 0.14, height + 0.1], [front + 0.05, -0.04])),
    area(paint, rectangle(-1, -0.05, 1, 0.42)),
    ...wheel(-0.55),
    ...wheel(0.55),
  ];
}

function cup(random: Random): Layer[] {
  const [paint, foot] = [lively(random), random.uniform(0.35, 0.55)];
  return [
    stroke(paint, 0.15, arc(0.6, 0.1, 0.3, -1.7, 1.7)),
    area(paint, polygon([-0.65, -0.5], [0.6, -0.5], [foot, 0.75], [-foot - 0.05, 0.75])),
    area([0.3, 0.18, 0.1], ellipse(-0.025, -0.5, 0.6, 0.15)),
    ...(random.chance(0.5)
      ? [-0.25, 0.15].map((x) => stroke([0.95, 0.95, 0.95], 0.06, line([x, -0.7], [x + 0.08, -0.85], [x, -1])))
      : []),
  ];
}

function fish(random: Random): Layer[] {
  const [paint, plump] = [lively(random), random.uniform(0.4, 0.55)];
  return [
    area(paint, polygon([0.45, 0], [0.98, -0.45], [0.85, 0], [0.98, 0.45])),
    area(lively(random), polygon([-0.2, -plump + 0.1], [0.25, -plump - 0.25], [0.35, -0.1])),
    area(paint, ellipse(-0.15, 0, 0.72, plump)),
    area([1, 1, 1], circle(-0.5, -0.12, 0.12)),
    area(dark, circle(-0.52, -0.12, 0.06)),
    stroke(dark, 0.04, arc(-0.15, 0, 0.3, -2.1, -4.2)),
  ];
}

function house(random: Random): Layer[] {
  const [eaves, door] = [random.uniform(-0.2, 0), random.uniform(-0.5, 0.2)];
  const wall = coloured(random.uniform(), random.uniform(0.1, 0.5), random.uniform(0.65, 0.9));
  const pane: Colour = [0.35, 0.55, 0.75];
  return [
    ...(random.chance(0.6) ? [area(brown(random), rectangle(0.35, -0.85, 0.55, -0.3))] : []),
    area(wall, rectangle(-0.75, eaves, 0.75, 0.85)),
    area(lively(random), polygon([-0.95, eaves], [0, -0.95], [0.95, eaves])),
    area(brown(random), rectangle(door, 0.3, door + 0.3, 0.85)),
    area(pane, rectangle(door < -0.15 ? 0.2 : -0.6, 0.15, door < -0.15 ? 0.55 : -0.25, 0.5)),
  ];
}

function key(random: Random): Layer[] {
  const paint = coloured(random.uniform(0.08, 0.15), random.uniform(0, 0.8), random.uniform(0.4, 0.65));
  const bow = random.uniform(0.3, 0.42);
  const bits = [0.95, 0.75, 0.55].slice(0, random.chance(0.5) ? 2 : 3);
  return [
    area(paint, circle(-0.55, 0, bow), circle(-0.55, 0, bow * 0.5)),
    area(paint, rectangle(-0.55 + bow - 0.05, -0.08, 0.98, 0.08)),
    ...bits.map((x) => area(paint, rectangle(x - 0.1, 0, x, random.uniform(0.25, 0.42)))),
  ];
}

function mushroom(random: Random): Layer[] {
  const cap = coloured(random.uniform(-0.03, 0.1) + 1, random.uniform(0.6, 0.9), random.uniform(0.35, 0.5));
  const stem = random.uniform(0.2, 0.3);
  const spot: Colour = [0.97, 0.95, 0.9];
  return [
    area([0.93, 0.89, 0.8], polygon([-stem, -0.1], [stem, -0.1], [stem + 0.12, 0.9], [-stem - 0.12, 0.9])),
    area(cap, closed(arc(0, 0, 0.9, Math.PI, 2 * Math.PI))),
    area(spot, circle(-0.4, -0.35, 0.15)),
    area(spot, circle(0.1, -0.6, 0.13)),
    area(spot, circle(0.48, -0.25, 0.12)),
  ];
}

function star(random: Random): Layer[] {
  const [waist, corners] = [random.uniform(0.38, 0.5), 5];
  const points = Array.from({ length: 2 * corners }, (_, i) => {
    const [radius, angle] = [i % 2 === 0 ? 0.98 : waist, (Math.PI * i) / corners - Math.PI / 2];
    return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
  });
  return [area(lively(random), polygon(...points))];
}

function tree(random: Random): Layer[] {
  const leaves = coloured(random.uniform(0.2, 0.42), random.uniform(0.4, 0.8), random.uniform(0.2, 0.4));
  const [phase, bumps] = [random.uniform(0, 6), Math.floor(random.uniform(5, 9))];
  const crown = around(0, -0.3, (angle) => 0.58 + 0.09 * Math.sin(bumps * angle + phase));
  return [area(brown(random), polygon([-0.12, 0], [0.12, 0], [0.2, 0.95], [-0.2, 0.95])), area(leaves, crown)];
}

function umbrella(random: Random): Layer[] {
  const [paint, other] = [lively(random), lively(random)];
  const scallop = (x: number): Path => ellipse(x, 0, 0.3, 0.14);
  return [
    stroke(dark, 0.08, line([0, -0.95], [0, 0.75])),
    stroke(dark, 0.08, arc(0.15, 0.75, 0.15, Math.PI, 0)),
    area(paint, closed(arc(0, 0, 0.9, Math.PI, 2 * Math.PI))),
    area(other, polygon([-0.3, 0], [0, -0.9], [0.3, 0])),
    ...[-0.6, 0.6].map((x) => area(paint, scallop(x))),
    area(other, scallop(0)),
  ];
}

/** By the names of their classes. */
export const OBJECTS: Readonly<Record<string, DrawObject>> = {
  ...{ boat, car, cup, fish, house },
  ...{ key, mushroom, star, tree, umbrella },
};
