/**
 * UTF-8 in plain code, for platforms without TextEncoder and TextDecoder (jsdom under Jest, some engines of mobiles).
 *
 * @see WHATWG Encoding, "UTF-8 encoder" and "UTF-8 decoder"
 */

const REPLACEMENT = 0xfffd;
/** Bytes that follow the first of a sequence lie within these, as a rule. */
const TRAIL_MIN = 0x80;
const TRAIL_MAX = 0xbf;

function bytesOf(point: number): number {
  if (point < 0x80) return 1;
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}

function putPoint(point: number, target: Uint8Array, at: number): void {
  const nrBytes = bytesOf(point);
  if (nrBytes === 1) {
    target[at] = point;
    return;
  }
  for (let i = nrBytes - 1; i > 0; i--, point >>= 6) target[at + i] = 0x80 | (point & 0x3f);
  target[at] = ((0xf00 >> nrBytes) & 0xff) | point;
}

/** As TextEncoder#encodeInto: whole characters only; lone surrogates become U+FFFD. */
export function encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
  let read = 0;
  let written = 0;
  while (read < text.length) {
    const unit = text.codePointAt(read) as number;
    const point = unit >= 0xd800 && unit <= 0xdfff ? REPLACEMENT : unit;
    const nrBytes = bytesOf(point);
    if (written + nrBytes > target.length) break;
    putPoint(point, target, written);
    written += nrBytes;
    read += unit > 0xffff ? 2 : 1;
  }
  return { read, written };
}

/** As TextEncoder#encode. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  const room = new Uint8Array(text.length * 3);
  return room.slice(0, encodeInto(text, room).written);
}

/** As TextDecoder#decode with ignoreBOM: each longest start of a sequence that cannot go on becomes one U+FFFD. */
export function decode(bytes: Uint8Array): string {
  let text = "";
  let point = 0;
  let missing = 0;
  let min = TRAIL_MIN;
  let max = TRAIL_MAX;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (missing > 0) {
      if (byte >= min && byte <= max) {
        point = (point << 6) | (byte & 0x3f);
        if (--missing === 0) text += String.fromCodePoint(point);
      } else {
        text += "\ufffd";
        missing = 0;
        i--; // may begin a sequence of its own
      }
      min = TRAIL_MIN;
      max = TRAIL_MAX;
    } else if (byte < 0x80) text += String.fromCharCode(byte);
    else if (byte < 0xc2 || byte > 0xf4) text += "\ufffd";
    else {
      missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      point = byte & (0x3f >> missing);
      // No overlong forms, no surrogates, nothing above U+10FFFF.
      if (byte === 0xe0) min = 0xa0;
      if (byte === 0xf0) min = 0x90;
      if (byte === 0xed) max = 0x9f;
      if (byte === 0xf4) max = 0x8f;
    }
  }
  return missing > 0 ? `${text}\ufffd` : text;
}
