/** What git calls a content. */
import { sha1 } from "@noble/hashes/legacy.js";
import { utf8Encoder } from "../base/utf8.ts";

/** @returns 40 hexadecimal digits */
export function blobId(content: Uint8Array): string {
  const hash = sha1.create().update(utf8Encoder.encode(`blob ${content.length}\0`));
  return Array.from(hash.update(content).digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
