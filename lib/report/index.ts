/**
 * Pictures of a training, and a report of all of them: curves, predictions, confusion, saliency, weights. It needs Node and the optional
 * packages `vega`, `vega-lite`, and, for PNG, `@resvg/resvg-js`.
 *
 * @module kernelwright/report
 */
export { drawCurves, type TitleOptions, type TrainingHistory } from './curves.js';
export {
  type ConfusedPair,
  confusedPairs,
  type ConfusionMatrix,
  confusionMatrixOf,
  drawConfusedPairs,
  type DrawConfusedPairsOptions,
  drawConfusionMatrix,
} from './confusion.js';
export { drawGroups, type GroupResult } from './groups.js';
export { drawLearningRates, drawSchedule, type DrawScheduleOptions } from './learning-rate.js';
export { type Picture, picturesOf } from './picture.js';
export { svgToPng, type SvgToPngOptions } from './png.js';
export { drawPredictions, type DrawPredictionsOptions, mistakes, type Prediction } from './predictions.js';
export type { ReportContents } from './contents.js';
export { reportContents, type ReportContentsOptions, type TestData } from './report-contents.js';
export {
  drawSaliency,
  type DrawSaliencyOptions,
  type ExplainedPrediction,
  type SaliencyMap,
  saliencyMaps,
} from './saliency.js';
export { drawWeights, type DrawWeightsOptions, type FirstWeight } from './weights.js';
export { writeReport, type WriteReportOptions } from './write-report.js';
