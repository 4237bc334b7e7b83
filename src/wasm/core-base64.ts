/**
 * A compiled core out of base64: for Node's bundles, in the place of core-text.ts (scripts/build.mjs). What is loaded from a
 * disk gains nothing by being small, and the first file system of a process is there 8 ms of CPU earlier.
 */

const { Buffer, atob } = globalThis as {
  Buffer?: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> };
  atob(text: string): string;
};

/** Reads a module back. */
export function textToCore(text: string): Uint8Array<ArrayBuffer> {
  return Buffer?.from(text, "base64") ?? Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
