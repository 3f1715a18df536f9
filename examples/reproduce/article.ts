/**
 * What the article reports (https://qiita.com/moriitkys/items/316fcca8d83dfa706597): 62 photos of hook wrenches and 62 of
 * spanner wrenches, 48 pictures made of each, batches of 32, 40 epochs of SGD on a GTX 1060, by Keras and by PyTorch.
 */
export const ARTICLE = { photos: 124, expansion: 48, epochs: 40, batchSize: 32, learningRate: 0.001 };

/** Seconds that 40 epochs took there, and the width and height of the pictures. */
export interface ArticleNet {
  readonly size: number;
  readonly keras: number;
  readonly pytorch: number;
}

/** The nets whose times the article gives. */
export const ARTICLE_NETS = {
  mynet: { size: 28, keras: 40, pytorch: 680 },
  mobilenet: { size: 192, keras: 1600, pytorch: 1760 },
  resnet50: { size: 224, keras: 3520, pytorch: 3640 },
} as const satisfies Readonly<Record<string, ArticleNet>>;
