/** A page whose policy forbids Wasm; the test reads `refusal`. */
import { createFs } from "foliofs";

declare global {
  var refusal: Promise<string>;
}

globalThis.refusal = createFs().then(
  () => "",
  (error: Error) => error.message,
);
