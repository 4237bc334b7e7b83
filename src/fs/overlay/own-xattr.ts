/** Which extended attributes are an overlay's own, and what those of programs are called that look like them. */
import { utf8Encoder } from "../../base/utf8.ts";

const OWN = utf8Encoder.encode("trusted.overlay.");
const ESCAPED = utf8Encoder.encode("trusted.overlay.overlay.");

function startsWith(name: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => name[i] === byte);
}

function joined(start: Uint8Array, rest: Uint8Array): Uint8Array {
  const name = new Uint8Array(start.length + rest.length);
  name.set(start);
  name.set(rest, start.length);
  return name;
}

/** Says something of a layer: no program made it. */
export function isPrivateXattr(name: Uint8Array): boolean {
  return startsWith(name, OWN) && !startsWith(name, ESCAPED);
}

/** The name in a layer of what programs call so. */
export function escaped(name: Uint8Array): Uint8Array {
  return startsWith(name, OWN) ? joined(ESCAPED, name.subarray(OWN.length)) : name;
}

/** What programs call what is so called in a layer. */
export function unescaped(name: Uint8Array): Uint8Array {
  return startsWith(name, ESCAPED) ? joined(OWN, name.subarray(ESCAPED.length)) : name;
}
