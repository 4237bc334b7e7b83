/** The results of calls keep V8's fast form, however rarely a program makes them at first. Needs a file of its own. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createFsSync } from "../../../src/index.ts";

setFlagsFromString("--expose-gc");
setFlagsFromString("--allow-natives-syntax");
const gc = runInNewContext("gc") as () => void;
const isFast = new Function("o", "return %HasFastProperties(o)") as (o: object) => boolean;

/** Calls for results so rarely that a garbage collection takes each away before the next: V8 watches the first seven. */
function oneAtATime(make: () => object): object {
  for (let i = 0; i < 10; i++) {
    make();
    gc();
  }
  return make();
}

const fs = createFsSync();
fs.writeFileSync("/file", "x");

test.each([
  ["stat", () => fs.statSync("/file")],
  ["stat with bigints", () => fs.statSync("/file", { bigint: true })],
  ["statfs", () => fs.statfsSync("/")],
  ["readdir withFileTypes", () => fs.readdirSync("/", { withFileTypes: true })[0]],
])("%s", (_, make) => {
  expect(isFast(oneAtATime(make))).toBe(true);
});
