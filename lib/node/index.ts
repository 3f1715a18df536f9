/**
 * What needs Node: opening WebGPU through the package `webgpu`, image folders, and files.
 *
 * @module kernelwright/node
 */
export { readSafetensors, writeSafetensors } from './safetensors.js';
export { audit, type AuditOptions } from './audit/audit.js';
export { auditLines, type AuditLinesOptions } from './audit/lines.js';
export type {
  AuditedPicture,
  AuditedSplit,
  AuditReport,
  DuplicateGroup,
  OddPicture,
  Oddity,
  SizeCount,
  UnreadablePicture,
} from './audit/report.js';
export { checkpoints, type CheckpointsOptions } from './checkpoints/checkpoints.js';
export { newestTrainingCheckpoint, readTrainingCheckpoint } from './checkpoints/files.js';
export { type DecodedPicture } from './pictures/decoded-picture.js';
export { imageFolder, type ImageFolderOptions, type ImageSet } from './pictures/image-folder.js';
export { imageStream, type ImageStream, type ImageStreamOptions } from './pictures/image-stream.js';
export { imageSplits, type ImageSplits, type SplitFolders, type SplitName } from './pictures/image-splits.js';
export type { PictureLayout } from '../data/picture-layout.js';
export { decodePicture, type DecodePictureOptions, type PictureOptions, readPicture } from './pictures/picture.js';
export { decodePng, type DecodePngOptions, type Rgb } from './pictures/png.js';
export { loadModel, saveModel } from './models.js';
export { csvLog } from './logs/csv-log.js';
export { jsonLinesLog } from './logs/json-lines-log.js';
export { countBar } from './progress/count-bar.js';
export { progressBar, type ProgressBarOptions } from './progress/progress-bar.js';
export type { ProgressStream } from './progress/terminal-bar.js';
export { openDevice } from './open-device.js';
export { loadWeights, saveWeights } from './weights.js';
export { writeFileAtomically } from './write-file.js';
