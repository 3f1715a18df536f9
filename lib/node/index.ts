/**
 * What needs Node: opening WebGPU through the package `webgpu`, image folders, and files.
 *
 * @module kernelwright/node
 */
export { readSafetensors, writeSafetensors } from './safetensors.js';
export { type DecodedPicture } from './pictures/decoded-picture.js';
export { imageFolder, type ImageFolderOptions, type ImageSet, type PictureLayout } from './pictures/image-folder.js';
export { decodePicture, type DecodePictureOptions, type PictureOptions, readPicture } from './pictures/picture.js';
export { decodePng, type DecodePngOptions, type Rgb } from './pictures/png.js';
export { openDevice } from './open-device.js';
export { loadWeights, saveWeights } from './weights.js';
export { writeFileAtomically } from './write-file.js';
