/**
 * One photo: a tool on a background, lit by a lamp and the ceiling, seen by a camera that looks down, more or less aslant.
 *
 * World frame: the background is the plane z = 0, x to the right, y up the picture, z towards the camera; the unit is the
 * picture's width. The tool is a plate of one thickness whose top carries a relief.
 */
import { type Background, type Colour, scale } from './backgrounds.js';
import { clamp, fractalNoise, mix, noise, type Random, smoothstep } from './random.js';
import { rotate, type Tool } from './shapes.js';

type Vector = readonly [number, number, number];

/** Where the tool lies. */
export interface Pose {
  /** The centre of the tool's head. */
  readonly x: number;
  readonly y: number;
  /** Direction from the head along the handle, in radians from +x. */
  readonly angle: number;
  /** Length of the tool. */
  readonly length: number;
  /** Whether the other face of the tool is up. */
  readonly mirrored: boolean;
}

export interface Scene {
  readonly tool: Tool;
  readonly pose: Pose;
  readonly background: Background;
  /** How far the camera leans from straight down, in radians. */
  readonly tilt: number;
  /** Unit vector towards the lamp. */
  readonly lamp: Vector;
  readonly lampColour: Colour;
  readonly lampStrength: number;
  /** Relative growth of the lamp's light over a picture's width towards it. */
  readonly lampGradient: number;
  /** Diffuse light from everywhere. */
  readonly ambient: number;
  /** Brightness of the ceiling as the flat steel mirrors it. */
  readonly ceiling: number;
  readonly steelTint: Colour;
  /** Seed of the steel's grain and scratches. */
  readonly grain: number;
}

const CAMERA_DISTANCE = 1.8;
/** Thickness of a tool, in units of its length. */
const THICKNESS = 0.045;
/** Levels below the top at which a ray is tested for the side of the plate. */
const SIDE_LEVELS = [0.75, 0.5, 0.25] as const;

/** Beyond this distance from the tool, in units of its length, neither its side nor its shadow is seen. */
const REACH = 5 * THICKNESS;

/** What the tool leaves of the light at a point of the background, as shares. */
interface Shade {
  readonly lamp: number;
  readonly ambient: number;
}
const OPEN: Shade = { lamp: 1, ambient: 1 };

/** Draws the scene's light settings; the range is the same whatever the tool. */
export function randomLight(random: Random): Omit<Scene, 'tool' | 'pose' | 'background'> {
  const azimuth = random.uniform(0, 2 * Math.PI);
  const elevation = random.uniform(0.75, 1.2);
  const warmth = random.uniform(-0.14, 0.14);
  const steelWarmth = random.uniform(-0.05, 0.07);
  return {
    tilt: random.uniform(0, 0.5),
    lamp: [Math.cos(azimuth) * Math.cos(elevation), Math.sin(azimuth) * Math.cos(elevation), Math.sin(elevation)],
    lampColour: [1 + warmth, 1, 1 - warmth],
    lampStrength: random.uniform(0.7, 1.25),
    lampGradient: random.uniform(0.2, 1.4),
    ambient: random.uniform(0.3, 0.6),
    ceiling: random.uniform(0.45, 1),
    steelTint: [1 + steelWarmth, 1, 1 - steelWarmth],
    grain: random.seed(),
  };
}

/** Linear colour seen along the ray through (u, v) of the picture, both in units of its width from its middle. */
export function trace(scene: Scene, u: number, v: number): Colour {
  const { pose, tool, tilt } = scene;
  const sine = Math.sin(tilt);
  const cosine = Math.cos(tilt);
  const eye: Vector = [0, -CAMERA_DISTANCE * sine, CAMERA_DISTANCE * cosine];
  const ray: Vector = [u, CAMERA_DISTANCE * sine + v * cosine, -CAMERA_DISTANCE * cosine + v * sine];
  const at = (z: number): [number, number] => {
    const t = (z - eye[2]) / ray[2];
    return [eye[0] + t * ray[0], eye[1] + t * ray[1]];
  };
  const toCamera = normalise([-ray[0], -ray[1], -ray[2]]);
  const thickness = THICKNESS * pose.length;

  const [x, y] = toTool(pose, ...at(thickness));
  const distance = tool.distance(x, y);
  if (distance < 0) return steel(scene, x, y, toCamera);
  if (distance > REACH) return ground(scene, ...at(0), toCamera, OPEN);
  for (const level of SIDE_LEVELS) {
    const [sideX, sideY] = toTool(pose, ...at(level * thickness));
    if (tool.distance(sideX, sideY) < 0) return side(scene, sideX, sideY, level);
  }
  const [groundX, groundY] = at(0);
  return ground(scene, groundX, groundY, toCamera, shade(scene, groundX, groundY));
}

/** Strength of the lamp's light at a point: one side of the picture lies nearer to the lamp. */
function lampAt({ lamp, lampStrength, lampGradient }: Scene, x: number, y: number): number {
  return lampStrength * clamp(1 + lampGradient * (x * lamp[0] + y * lamp[1]), 0.4, 1.8);
}

/** The top of the tool at a point of the tool's frame. */
function steel(scene: Scene, x: number, y: number, toCamera: Vector): Colour {
  const { tool, pose, grain, lamp } = scene;
  const step = 0.003;
  const { height, material } = tool.relief(x, y);
  const slopeX = (tool.relief(x + step, y).height - height) / step;
  const slopeY = (tool.relief(x, y + step).height - height) / step;
  const brushed = 0.08 * (noise(x * 30, y * 500, grain) - 0.5); // the grain runs along the handle
  const [nx, ny] = toWorldDirection(pose, -slopeX, -slopeY + brushed);
  const normal = normalise([nx, ny, 1]);
  if (material === 'screw') {
    const shine = highlight(normal, lamp, toCamera, 20);
    return scale(scene.lampColour, 0.025 + 0.25 * shine);
  }

  const mirrored = reflect(toCamera, normal);
  // The room as the steel mirrors it: a ceiling of uneven brightness overhead, darker walls, and the lamp.
  const streak = fractalNoise(x * 2.2 + mirrored[0], y * 5 + mirrored[1] * 2, grain + 1, 3);
  const overhead = scene.ceiling * mix(0.45, 1.2, smoothstep(0.25, 0.75, streak));
  const room = mix(0.08, overhead, smoothstep(0.2, 0.95, mirrored[2]));
  const lampInMirror = scene.lampStrength * Math.exp(9 * (dot(mirrored, lamp) - 1));
  const diffuse = 0.16 * (scene.ambient + scene.lampStrength * Math.max(dot(normal, lamp), 0));
  const scratch = 1 + 0.25 * smoothstep(0.72, 0.9, noise(x * 8 + y * 3, y * 130 - x * 40, grain + 2));
  const forged = 0.94 + 0.12 * noise(x * 60, y * 60, grain + 3);
  const light = (0.75 * room + 0.9 * lampInMirror + diffuse) * scratch * forged;
  return scale(multiply(scene.steelTint, scene.lampColour), light);
}

/** The side of the plate, at a level between the background (0) and the top (1). */
function side(scene: Scene, x: number, y: number, level: number): Colour {
  const { tool, pose, lamp } = scene;
  const step = 0.004;
  const gradientX = tool.distance(x + step, y) - tool.distance(x - step, y);
  const gradientY = tool.distance(x, y + step) - tool.distance(x, y - step);
  const normal = normalise([...toWorldDirection(pose, gradientX, gradientY), 0]);
  const light = 0.08 + 0.3 * level * scene.ambient + 0.5 * scene.lampStrength * Math.max(dot(normal, lamp), 0);
  return scale(scene.lampColour, light * scene.ceiling);
}

/** The background at a point. */
function ground(scene: Scene, x: number, y: number, toCamera: Vector, share: Shade): Colour {
  const { background, lamp, lampColour } = scene;
  const step = 0.002;
  const height = background.height(x, y);
  const slopeX = (background.height(x + step, y) - height) / step;
  const slopeY = (background.height(x, y + step) - height) / step;
  const normal = normalise([-slopeX, -slopeY, 1]);
  const fromLamp = share.lamp * lampAt(scene, x, y);
  const diffuse = fromLamp * Math.max(dot(normal, lamp), 0) + share.ambient * scene.ambient;
  const shine = background.gloss * fromLamp * highlight(normal, lamp, toCamera, background.sharpness);
  const [r, g, b] = background.colour(x, y);
  return multiply([r * diffuse + shine, g * diffuse + shine, b * diffuse + shine], lampColour);
}

/** The tool's shadow at a point of the background, and the dimness close beside it. */
function shade({ tool, pose, lamp }: Scene, x: number, y: number): Shade {
  let share = 1;
  for (const level of [0.1, 0.4, 0.7, 1]) {
    const z = level * THICKNESS; // in units of the tool's length, as is the distance below
    const reach = (z * pose.length) / lamp[2];
    const penumbra = 0.008 + 0.5 * z; // the lamp is wide, so the shadow of what is higher is softer
    const distance = tool.distance(...toTool(pose, x + lamp[0] * reach, y + lamp[1] * reach));
    share = Math.min(share, smoothstep(-penumbra, penumbra, distance));
  }
  const beside = Math.max(tool.distance(...toTool(pose, x, y)), 0);
  return { lamp: share, ambient: 1 - 0.5 * Math.exp(-beside / 0.03) };
}

function toTool(pose: Pose, x: number, y: number): [number, number] {
  const [along, across] = rotate((x - pose.x) / pose.length, (y - pose.y) / pose.length, -pose.angle);
  return [along, pose.mirrored ? -across : across];
}

function toWorldDirection(pose: Pose, x: number, y: number): [number, number] {
  return rotate(x, pose.mirrored ? -y : y, pose.angle);
}

function multiply(a: Colour, b: Colour): Colour {
  return [a[0] * b[0], a[1] * b[1], a[2] * b[2]];
}

/** Blinn-Phong highlight of the lamp. */
function highlight(normal: Vector, lamp: Vector, toCamera: Vector, sharpness: number): number {
  const half = normalise([lamp[0] + toCamera[0], lamp[1] + toCamera[1], lamp[2] + toCamera[2]]);
  return clamp(dot(normal, half), 0, 1) ** sharpness;
}

function reflect(direction: Vector, normal: Vector): Vector {
  const twice = 2 * dot(direction, normal);
  return [twice * normal[0] - direction[0], twice * normal[1] - direction[1], twice * normal[2] - direction[2]];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function normalise(vector: Vector): Vector {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return [vector[0] / length, vector[1] / length, vector[2] / length];
}
