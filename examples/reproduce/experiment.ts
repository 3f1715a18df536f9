import {
  type ArchitectureName,
  type Callback,
  type Device,
  expandAsInArticle,
  fit,
  type History,
  type LabelledData,
  pictureClassifier,
  type PictureClassifierOptions,
  predict,
  SGD,
  softmax,
  splitByClass,
} from 'kernelwright';
import { imageFolder } from 'kernelwright/node';
import { ARCHITECTURES } from '../../lib/models/architectures.js';
import { ARTICLE, type ArticleNet } from './article.js';

/** One of the article's trainings, as it is done here. */
export interface Experiment {
  /** In file names. */
  readonly name: string;
  readonly title: string;
  readonly architecture: ArchitectureName;
  readonly options?: PictureClassifierOptions['options'];
  /** Width and height of the pictures. */
  readonly size: number;
  readonly epochs: number;
  /** Whether 48 pictures are made of each to train on. */
  readonly isExpanded: boolean;
  readonly momentum: number;
  /** What the article says of its time. */
  readonly article?: ArticleNet;
}

/** What came of an {@link Experiment}. */
export interface Outcome {
  readonly experiment: Experiment;
  readonly parameters: number;
  /** Pictures of an epoch. */
  readonly pictures: number;
  readonly history: History;
  /** Of all epochs together. */
  readonly seconds: number;
  /** Bytes of buffers on the device, at most. */
  readonly memory: number;
  /** The test pictures, with the probabilities [N, classes] that it gives them. */
  readonly tested?: { readonly pictures: LabelledData; readonly probabilities: Float32Array };
}

/** Where the pictures are, and what computes. */
export interface Setting {
  readonly data: string;
  readonly test?: string;
  readonly device: Device;
  readonly seed: number;
}

/**
 * Trains on four fifths of the pictures, held against the last fifth after each epoch. The fifth is taken away before pictures are made of
 * others, so that nothing made of a picture is on both sides.
 */
export async function carryOut(experiment: Experiment, { data, test, device, seed }: Setting): Promise<Outcome> {
  const { architecture, options = {}, size: edge, epochs, isExpanded, momentum } = experiment;
  const size = { width: edge, height: edge };
  const { layout } = ARCHITECTURES[architecture];
  const read = (directory: string) => imageFolder(directory, { size, layout, dtype: 'u8' });
  const { training, validation } = splitByClass(await read(data), { validation: 0.2, seed });
  const pictures = test === undefined ? undefined : await read(test);
  const trained = isExpanded ? await expandAsInArticle(training, { seed }) : training;
  const { classNames } = training;
  const model = pictureClassifier({ architecture, classNames, size, options });
  const { parameters } = model.build(model.pictureShape, { seed }).summary(() => undefined);
  let memory = 0;
  const watch: Callback = {
    onEpochBegin: () => void (memory = Math.max(memory, device.memory.used)),
    onEpochEnd: () => void (memory = Math.max(memory, device.memory.used)),
  };
  const history = await fit(model, trained, {
    epochs,
    batchSize: ARTICLE.batchSize,
    optimizer: new SGD({ learningRate: ARTICLE.learningRate, momentum }),
    validation,
    seed,
    device,
    callbacks: [watch],
  });
  const probabilities = pictures && (await softmax(await predict(model, pictures, { device })).data());
  model.dispose();
  return {
    experiment,
    parameters,
    pictures: trained.labels.length,
    history,
    seconds: history.seconds.reduce((sum, seconds) => sum + seconds, 0),
    memory,
    ...(pictures && probabilities && { tested: { pictures, probabilities: Float32Array.from(probabilities) } }),
  };
}

/**
 * Seconds that 40 epochs of all that the article made of 124 photos, at its size, would take here: so many steps, each
 * longer by as many times as a picture has pixels.
 */
export function secondsAsInArticle({ experiment, pictures, seconds }: Outcome): number | undefined {
  const { article, epochs, size } = experiment;
  if (!article) return undefined;
  const perPicture = seconds / epochs / pictures;
  const trained = 0.8 * ARTICLE.photos * ARTICLE.expansion * ARTICLE.epochs;
  return perPicture * trained * (article.size / size) ** 2;
}
