/**
 * A compiled core out of base64: for Node's bundles, in the place of core-text.ts (scripts/build.mjs). What is loaded from a
 * disk gains nothing by being small, and the first file system of a process is there 8 ms of CPU earlier.
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Reads a module back. */
export function textToCore(text: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> } };
  return Buffer?.from(text, "base64") ?? decode(text);
}

/** For realms that have nothing but the language. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const end = text.indexOf("=") < 0 ? text.length : text.indexOf("=");
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  const values = new Map(Array.from(ALPHABET, (character, value) => [character, value]));
  for (let bits = 0, at = 0; at < end; at++) {
    bits = (bits << 6) | (values.get(text[at]) as number);
    if (at % 4 > 0) bytes[Math.floor((at * 3) / 4)] = bits >> (6 - 2 * (at % 4));
  }
  return bytes;
}
