import { launchChromium } from './tools/chromium.js';
import sharp from 'sharp';
const c = await launchChromium();
const p = await c.newPage(); await p.setViewportSize({ width: 820, height: 900 }); await p.goto('file:///tmp/rep/run/report.html');
const buf = await p.screenshot({ fullPage: true }); await c.close();
await sharp(buf).png({ palette: true, colors: 200, compressionLevel: 9 }).toFile('docs/report.png');
console.log(await sharp('docs/report.png').metadata());
