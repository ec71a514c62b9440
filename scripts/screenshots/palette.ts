/** PNG, as the W3C has it (https://www.w3.org/TR/png-3/): what a screenshot needs of it. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from('89504e470d0a1a0a', 'hex');

/** Of a pixel, by colour type: without transparency, and with it; §11.2.1. */
const bytesOf: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

/** Colours; a pixel is one byte then. */
const most = 256;

type Chunk = { readonly type: string; readonly data: Buffer };

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    chunks.push({ type, data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** §9.4 */
function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const a = Math.abs(guess - left);
  const b = Math.abs(guess - above);
  const c = Math.abs(guess - corner);
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

/** §9.2, in place. `raw` has a byte for the filter before each line. */
function unfilter(raw: Buffer, lineLength: number, step: number): void {
  for (let start = 0; start < raw.length; start += lineLength + 1) {
    const filter = raw[start];
    for (let at = start + 1; at <= start + lineLength; at += 1) {
      const left = at - start > step ? (raw[at - step] ?? 0) : 0;
      const above = start > 0 ? (raw[at - lineLength - 1] ?? 0) : 0;
      const corner = start > 0 && at - start > step ? (raw[at - lineLength - 1 - step] ?? 0) : 0;
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter ?? 0];
      raw[at] = ((raw[at] ?? 0) + (guess ?? 0)) & 255;
    }
  }
}

/** How far apart two colours are, each 0xRRGGBB. */
function distance(one: number, other: number): number {
  const part = (shift: number) => ((one >> shift) & 255) - ((other >> shift) & 255);
  return part(16) ** 2 + part(8) ** 2 + part(0) ** 2;
}

/** The most frequent colours, and for each that there is the place of the nearest among them. */
function paletteOf(colours: Uint32Array) {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([colour]) => colour);
  const places = new Map(
    [...counts.keys()].map((colour) => {
      const away = palette.map((one) => distance(one, colour));
      return [colour, away.indexOf(Math.min(...away))];
    }),
  );
  return { palette, places };
}

/**
 * The same picture with a palette of 256 colours, which a page hardly exceeds: a third of the size.
 *
 * @param png with 8 bits for each of red, green and blue, not interlaced: as Chromium takes it
 */
export function withPalette(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const [header] = chunks;
  const [depth, colourType = 0, , , interlaced] = header?.data.subarray(8) ?? [];
  const step = bytesOf[colourType];
  if (!header || depth !== 8 || step === undefined || interlaced !== 0) {
    throw new Error('This PNG is of another kind than Chromium takes.');
  }
  const [width, height] = [header.data.readUInt32BE(0), header.data.readUInt32BE(4)];
  const parts = chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data);
  const raw = inflateSync(Buffer.concat(parts));
  unfilter(raw, width * step, step);
  const colours = new Uint32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      colours[y * width + x] = raw.readUIntBE(y * (width * step + 1) + 1 + x * step, 3);
    }
  }
  const { palette, places } = paletteOf(colours);
  const lines = Buffer.alloc((width + 1) * height);
  colours.forEach((colour, index) => {
    const y = Math.floor(index / width);
    lines[y * (width + 1) + 1 + (index % width)] = places.get(colour) ?? 0;
  });
  const indexed = Buffer.from(header.data);
  indexed[9] = 3;
  return Buffer.concat([
    signature,
    chunk('IHDR', indexed),
    chunk('PLTE', Buffer.from(palette.flatMap((one) => [one >> 16, (one >> 8) & 255, one & 255]))),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
