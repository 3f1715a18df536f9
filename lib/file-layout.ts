import { elementAt } from './element-at.js';
import type { NumericArray } from './graph/operation.js';
import { collapse, forEachOffset, type Shape, stridesOf } from './shape.js';

/**
 * The order of a weight's numbers in a file, where it is another one than here: its axes, some of them perhaps divided, or of
 * size 1, in another order. A convolution's weight is [out, height, width, in] here and [out, in, height, width] in
 * PyTorch's files: `{ axes: [out, height, width, in], order: [0, 3, 1, 2] }`.
 */
export interface FileLayout {
  /** Sizes of the axes, in the order that they have here. Their product is that of the weight's own. */
  readonly axes: Shape;
  /** Axis i in the file is axis `order[i]` of these. */
  readonly order: readonly number[];
}

/** The layouts of a weight in the files of each library; one that is left out is that of the weight itself. */
export interface FileLayouts {
  /** In PyTorch's files. */
  readonly pytorch?: FileLayout;
  /** In Keras's files. */
  readonly keras?: FileLayout;
}

/** @internal The shape in a file of what has this one here. */
export function shapeInFile(shape: Shape, layout: FileLayout | undefined): Shape {
  return layout ? layout.order.map((axis) => elementAt(layout.axes, axis)) : shape;
}

/** @internal The numbers in the order of a file. */
export function toFile<Numbers extends NumericArray>(data: Numbers, layout: FileLayout | undefined): Numbers {
  if (!layout) return data;
  const moved = data.slice() as Numbers;
  forEachRow(layout, (length, here, there) => {
    moveRow(length, data, here, moved, there);
  });
  return moved;
}

/** @internal The numbers of a file in the order that they have here. */
export function fromFile(data: NumericArray, layout: FileLayout | undefined): NumericArray {
  if (!layout) return data;
  const moved = data.slice();
  forEachRow(layout, (length, here, there) => {
    moveRow(length, data, there, moved, here);
  });
  return moved;
}

/** Where numbers at equal distances lie. */
interface Row {
  readonly start: number;
  readonly step: number;
}

function moveRow(length: number, from: NumericArray, source: Row, to: NumericArray, target: Row): void {
  let [at, put] = [source.start, target.start];
  for (let i = 0; i < length; i++) {
    to[put] = from[at] ?? NaN;
    at += source.step;
    put += target.step;
  }
}

/** Goes through the rows along the last axis: their numbers, and where they lie here and in a file. */
function forEachRow({ axes, order }: FileLayout, visit: (length: number, here: Row, there: Row) => void): void {
  const inFile = stridesOf(order.map((axis) => elementAt(axes, axis)));
  const strides = [stridesOf(axes), axes.map((_, axis) => elementAt(inFile, order.indexOf(axis)))] as const;
  const { sizes, strides: own } = collapse({ sizes: axes, strides });
  const [length = 1, stepHere = 1, stepThere = 1] = [sizes.at(-1), own[0].at(-1), own[1].at(-1)];
  const rows = { sizes: sizes.slice(0, -1), strides: [own[0].slice(0, -1), own[1].slice(0, -1)] } as const;
  forEachOffset(rows, ([here, there]) => {
    visit(length, { start: here, step: stepHere }, { start: there, step: stepThere });
  });
}
