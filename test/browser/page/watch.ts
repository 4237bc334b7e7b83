/** A page that watches; the test reads `watched`. */
import { createFs } from "foliofs";
import "foliofs/watch";
import { type Watched, watching } from "./watching.ts";

declare global {
  var watched: Promise<Watched>;
}

async function run(): Promise<Watched> {
  const fs = await createFs();
  fs.mkdirSync("/watched");
  return watching(fs as never, "/watched");
}

globalThis.watched = run();
