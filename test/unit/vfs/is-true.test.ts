/** dentryOps.isTrue: a name that is known to be true is not revalidated. */
import nodeFs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { hostfs } from "../../../src/fs/hostfs/hostfs.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";

let folder: string;
let fs: FolioFs;
let isTrue: boolean;
let asked: string[];

beforeEach(() => {
  folder = nodeFs.mkdtempSync("/dev/shm/is-true-");
  nodeFs.writeFileSync(`${folder}/f`, "x");
  asked = [];
  isTrue = true;
  fs = createFsSync();
  fs.kernel.registerFileSystem({
    ...hostfs,
    name: "asked",
    dentryOps: {
      isTrue: () => {
        asked.push("isTrue");
        return isTrue;
      },
      revalidate: () => {
        asked.push("revalidate");
        return 1;
      },
    },
  });
  fs.mkdirSync("/mnt");
  fs.kernel.mount({ type: "asked", source: folder, target: "/mnt" });
  fs.statSync("/mnt/f"); // the name is cached from now on
  asked.length = 0;
});

afterEach(() => {
  fs.kernel.destroy();
  nodeFs.rmSync(folder, { recursive: true });
});

it("spares revalidate while it answers yes", () => {
  expect(fs.statSync("/mnt/f").size).toBe(1);
  expect(asked).toEqual(["isTrue"]);
});

it("leads to revalidate when it answers no, with what that decides", () => {
  isTrue = false;
  expect(fs.statSync("/mnt/f").size).toBe(1);
  expect(asked).toEqual(["isTrue", "revalidate"]);
});
