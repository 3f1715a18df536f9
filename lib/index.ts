/// <reference lib="esnext.disposable" preserve="true" />
/**
 * kernelwright: neural networks in TypeScript on hand-written WebGPU kernels. This entry runs in browsers and in Node;
 * `kernelwright/node` adds image folders, files and the opening of WebGPU in Node.
 *
 * @module kernelwright
 */
export { compile, type CompiledFunction, type RepeatOptions, type CompiledInput } from './compile.js';
export { run, type RunOptions } from './run.js';
export { Plan } from './plan.js';
export type { PlanMemory } from './plan-memory.js';
export { tune } from './tune.js';
export type { TuningChoice, TuningReport, TuningTrial } from './device/tuning-report.js';
export type { NestedNumbers } from './nested-numbers.js';
export { tensor, Tensor, type TensorLike, type TensorOptions } from './tensor.js';
export type { TensorTree } from './tree.js';
export type { FileLayout, FileLayouts } from './file-layout.js';
export { Parameter, Variable } from './variable.js';
export { Generator } from './generator.js';
export { RandomStream, shuffledIndices } from './random.js';
export { autocast } from './graph/autocast.js';
export { checkpoint } from './graph/checkpoint.js';
export { gradient } from './graph/gradient.js';
export type { DType, NumericArray, TensorSpec } from './graph/operation.js';
export type { Shape } from './shape.js';
export {
  DataError,
  DeviceError,
  DeviceMemoryError,
  DeviceLostError,
  KernelwrightError,
  OptionError,
  ShapeError,
  TraceError,
  TrainingError,
} from './errors.js';

export { openDevice, type DeviceOptions, type DeviceRequest } from './device/open.js';
export type { Device, DeviceInfo, DeviceMemory, ProgramMemory } from './device/device.js';

export {
  elu,
  gelu,
  hardswish,
  leakyRelu,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  tanh,
  type EluOptions,
  type GeluOptions,
  type LeakyReluOptions,
} from './ops/pointwise/activations.js';
export { accuracy, binaryAccuracy, type BinaryAccuracyOptions } from './ops/loss/accuracy.js';
export { correctPredictions, type CorrectPredictionsOptions } from './ops/loss/top-k.js';
export { argmax, type ArgmaxOptions } from './ops/reduce/argmax.js';
export { add, divide, equal, maximum, minimum, multiply, subtract } from './ops/pointwise/arithmetic.js';
export { cast, type CastOptions, type NumberType } from './ops/pointwise/cast.js';
export { conv2d, type Conv2dOptions } from './ops/convolution/conv2d.js';
export { convTranspose2d, type ConvTranspose2dOptions } from './ops/convolution/conv-transpose2d.js';
export { concat } from './ops/moving/concat.js';
export { depthwiseConv2d, type DepthwiseConv2dOptions } from './ops/convolution/depthwise.js';
export { dropout, type DropoutOptions } from './ops/random/dropout.js';
export { gather, type GatherOptions } from './ops/moving/gather.js';
export { binaryCrossEntropyWithLogits, meanSquaredError } from './ops/loss/losses.js';
export { abs, clamp, type ClampOptions, exp, log, negate, reciprocal, sqrt, square } from './ops/pointwise/math.js';
export { linear } from './ops/matmul/linear.js';
export { matmul, type MatmulOptions } from './ops/matmul/matmul.js';
export { negativeLogLikelihood } from './ops/loss/negative-log-likelihood.js';
export { randomBits, randomNormal, randomUniform } from './ops/random/random.js';
export { max, min } from './ops/reduce/extremes.js';
export { broadcastTo, mean, sum } from './ops/reduce/sum.js';
export { moments, type Moments } from './ops/reduce/moments.js';
export { variance, type VarianceOptions } from './ops/reduce/variance.js';
export type { ReduceOptions } from './ops/reduce/reduce.js';
export type { Reduction, ReductionOptions } from './ops/loss/reduction.js';
export type { ClassLossOptions } from './ops/loss/class-rows.js';
export { flatten, type FlattenOptions, reshape } from './ops/moving/reshape.js';
export { stopGradient } from './ops/moving/stop-gradient.js';
export { pad, type PadOptions, type PadWidth } from './ops/moving/pad.js';
export { slice } from './ops/moving/slice.js';
export { softmaxCrossEntropy, type CrossEntropyOptions } from './ops/loss/softmax-cross-entropy.js';
export { batchNorm, type BatchNormOptions, type NormalizeOptions } from './ops/normalize/batch-norm.js';
export { groupNorm, layerNorm, type LayerNormOptions } from './ops/normalize/layer-norm.js';
export { logSoftmax, softmax, type AxisOptions } from './ops/normalize/softmax.js';
export { transpose } from './ops/moving/transpose.js';
export { upsample, type UpsampleOptions } from './ops/moving/upsample.js';
export { averagePool2d, type AveragePool2dOptions } from './ops/pooling/average-pool2d.js';
export { globalAveragePool, globalMaxPool } from './ops/pooling/global-pool.js';
export { maxPool2d, type MaxPool2dOptions } from './ops/pooling/max-pool2d.js';
export type { PoolOptions } from './ops/pooling/pool-window.js';
export type { Padding, Pair, WindowOptions } from './ops/convolution/window.js';

export {
  Conv2d,
  ConvTranspose2d,
  DepthwiseConv2d,
  type Conv2dLayerOptions,
  type ConvolutionOptions,
  type ConvTranspose2dLayerOptions,
  type DepthwiseConv2dLayerOptions,
} from './nn/convolution.js';
export { Dense, type DenseOptions } from './nn/dense.js';
export {
  constant,
  glorotUniform,
  heNormal,
  kaimingUniform,
  zeros,
  type Fans,
  type Initializer,
} from './nn/initializers.js';
export { Dropout, Flatten, ReLU, ReLU6, Sigmoid, Softmax, type SoftmaxOptions, Tanh } from './nn/layers.js';
export {
  BatchNorm,
  GroupNorm,
  LayerNorm,
  type BatchNormLayerOptions,
  type LayerNormLayerOptions,
  type NormalizationOptions,
} from './nn/normalization.js';
export { Module, type BuildOptions, type Scope } from './nn/module.js';
export { AveragePool2d, GlobalAveragePool, GlobalMaxPool, MaxPool2d, Upsample, ZeroPadding2d } from './nn/pooling.js';
export { Sequential } from './nn/sequential.js';
export { loadState, stateOf, type LoadOptions, type LoadReport } from './nn/state.js';
export type { Summary, SummaryLayer } from './nn/summary.js';

export type { ArchitectureName, ArchitectureOptions } from './models/architectures.js';
export { convNet, type ConvNet } from './models/convnet.js';
export { mobileNetV1, type MobileNetV1, type MobileNetV1Options } from './models/mobilenet-v1.js';
export { mobileNetV2, type MobileNetV2, type MobileNetV2Options } from './models/mobilenet-v2.js';
export { myNet, myNet2, type MyNet, type MyNet2, type MyNetOptions } from './models/mynet.js';
export { decodeModel, encodeModel } from './models/model-file.js';
export type { NetOptions } from './models/options.js';
export {
  pictureClassifier,
  type ClassifierDescription,
  type PictureClassifier,
  type PictureClassifierOptions,
} from './models/picture-classifier.js';
export { viewsOf } from './models/views-of.js';
export { resnet18, resnet50, type ResNet, type ResNetOptions } from './models/resnet.js';
export { resnet8, type ResNet8, type ResNet8Options } from './models/resnet8.js';

export { Adagrad, type AdagradOptions, type AdagradSettings } from './optim/adagrad.js';
export { Adam, AdamW, type AdamOptions, type AdamSettings } from './optim/adam.js';
export { clipGradNorm, clipGradValue, type ClippedGradients } from './optim/clip.js';
export type {
  ClippingOptions,
  GroupedOptions,
  LearningRate,
  Momentum,
  ParameterGroup,
  RuledParameters,
  Schedule,
  UpdateRule,
} from './optim/groups.js';
export { LossScale, type LossScaleOptions, type LossScaleState } from './optim/loss-scale.js';
export { type MinimizeOptions, Optimizer } from './optim/optimizer.js';
export {
  defineUpdate,
  type BoundUpdate,
  type StepState,
  type StepUse,
  type Update,
  type UpdateDefinition,
  type UpdateSettings,
} from './ops/update/update.js';
export { RMSprop, type RMSpropOptions, type RMSpropSettings } from './optim/rmsprop.js';
export {
  cosineDecay,
  exponentialDecay,
  oneCycle,
  oneCycleMomentum,
  stepDecay,
  warmUp,
  type CosineDecayOptions,
  type ExponentialDecayOptions,
  type OneCycleMomentumOptions,
  type OneCycleOptions,
  type StepDecayOptions,
  type WarmUpOptions,
} from './optim/schedules.js';
export { SGD, type SGDOptions, type SGDSettings } from './optim/sgd.js';

export type { Callback, CallbackState, TrainingRun } from './train/callback.js';
export { earlyStopping, type EarlyStoppingOptions } from './train/callbacks/early-stopping.js';
export type { MonitorOptions } from './train/callbacks/monitor.js';
export { reduceOnPlateau, type ReduceOnPlateauOptions } from './train/callbacks/reduce-on-plateau.js';
export {
  crossValidate,
  type CrossValidateOptions,
  type CrossValidation,
  type CrossValidationScore,
  type Fold,
  type FoldOutcome,
  type FoldScore,
  type GroupScore,
} from './train/cross-validate.js';
export { evaluate, type EvaluateOptions, type Evaluation } from './train/evaluate.js';
export { findLearningRate, type FindLearningRateOptions, type LearningRateCurve } from './train/find-learning-rate.js';
export { fit, type FitOptions } from './train/fit.js';
export { type DTypePolicy, mixedFloat16 } from './train/dtype-policy.js';
export type { AnyEpochResult, EpochResult, History } from './train/history.js';
export type {
  CountedMetric,
  Counter,
  DefaultMetrics,
  Metric,
  Metrics,
  MetricValue,
  ValidationName,
  ValueOf,
} from './train/metrics.js';
export {
  accuracyByClass,
  confusionMatrix,
  f1Score,
  precision,
  recall,
  topK,
  type ClassCountOptions,
  type ClassMetricOptions,
} from './train/class-metrics.js';
export type { Loss, LossOptions } from './train/objective.js';
export { predict } from './train/predict.js';
export type { PredictOptions } from './train/in-batches.js';
export { saliency } from './train/saliency.js';
export { predictViews, type PredictViewsOptions } from './train/predict-views.js';
export { decodeTrainingCheckpoint, TrainingCheckpoint, trainingCheckpointOf } from './train/training-checkpoint.js';
export { Meter, type MeterReading } from './train/meter.js';

export { fromArrays, type FromArraysOptions } from './data/arrays.js';
export type { StreamedData, StreamedExamples, StreamedLabelledData, StreamedTargetData } from './data/streamed-data.js';
export { type ExampleData, type LabelledData, type TargetData, type TrainingData } from './data/training-data.js';
export { batchIndices, type BatchOptions } from './data/batches.js';
export { augmentation } from './data/augmentation/augmentation.js';
export type { AugmentationOptions } from './data/augmentation/options.js';
export { expandAsInArticle, type ExpandOptions } from './data/augmentation/expand-as-in-article.js';
export type { Augment } from './data/augment.js';
export {
  DataLoader,
  type Batch,
  type BatchOf,
  type DataLoaderOptions,
  type TargetBatch,
  type TensorRecord,
} from './data/data-loader.js';
export type { Normalization } from './data/normalization.js';
export type { PictureLayout } from './data/picture-layout.js';
export { resizeBilinear, type PictureSize, type PixelLayout } from './data/resize.js';
export { selectExamples } from './data/select.js';
export { splitByClass, type Split, type SplitOptions } from './data/split.js';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './io/safetensors.js';
export type { StoredTensor, StoredValue } from './io/stored-value.js';
export type {
  ListedDtype,
  ListedTensor,
  SafetensorsArrays,
  SafetensorsDtype,
  SafetensorsTensor,
} from './io/safetensors-types.js';
