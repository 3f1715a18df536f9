/**
 * What needs Node: opening WebGPU through the package `webgpu`, image folders, and files.
 *
 * @module kernelwright/node
 */
export { readSafetensors, writeSafetensors } from './safetensors.js';
export { imageFolder, type ImageFolderOptions, type ImageSet, type PictureLayout } from './image-folder.js';
export { openDevice } from './open-device.js';
export { decodePng, type DecodedPng, type DecodePngOptions, type Rgb } from './png.js';
export { loadWeights, saveWeights } from './weights.js';
export { writeFileAtomically } from './write-file.js';
