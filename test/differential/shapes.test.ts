/**
 * The shape of the face is that of Node 26's fs, on every Node. `shapes-26.json` is what node:fs of Node 26 gives to
 * `shapesOf`; on Node 26 the test checks that it still does.
 */
import nodeFs, { type Dirent } from "node:fs";
import { promisify } from "node:util";
import { afterAll, assert, beforeAll, describe, it } from "vitest";
import type { Subject } from "../helpers/subject.ts";
import { createFoliofsSubject, loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import { type Described, DIRENT_HAS_PATH } from "./describe.ts";
import { shapesOf } from "./shapes.ts";
import { isFollowedVersion } from "./versions.ts";

type Shapes = { [key: string]: Described };

const GOLDEN = JSON.parse(nodeFs.readFileSync(new URL("./shapes-26.json", import.meta.url), "utf8")) as Shapes;

/** What foliofs has beyond Node 26, and why. */
const ADDITIONS: Readonly<Record<string, RegExp>> = {
  "calls beyond node:fs": /^(copyFileRange|fallocate|flock|lseek|mknod|renameat2|sync|utimens)Sync: function /,
  "reads without a copy": /^readView(Async)?: (async )?function /,
  "what memfs users call": /^(fromJSON|toJSON|reset): function /,
  "the machine and the task behind the face": /^(kernel|task): object$/,
  "constants that Node dropped with version 25, for those who come from an older one": /^[FRWX]_OK: number$/,
};
/** Node wraps it to warn those who call it. */
const STATS = /^Stats: function (deprecated|Stats)\/18$/;

let subject: Subject;
let shapes: Shapes;

beforeAll(async () => {
  subject = createFoliofsSubject(await loadFoliofs());
  shapes = await shapesOf(subject.fs, subject.root);
});

afterAll(() => subject?.dispose());

describe("the face of foliofs", () => {
  it("has every function of node:fs, with its name and length", () => {
    const own = shapes.fs as string[];
    const missing = (GOLDEN.fs as string[]).filter((line) => !own.includes(line) && !STATS.test(line));
    assert.deepEqual(missing, []);
    assert(own.some((line) => STATS.test(line)));
  });

  it("has nothing else but what is listed", () => {
    const added = (shapes.fs as string[]).filter(
      (line) => !(GOLDEN.fs as string[]).includes(line) && !STATS.test(line),
    );
    const unexplained = added.filter((line) => !Object.values(ADDITIONS).some((addition) => addition.test(line)));
    const unused = Object.entries(ADDITIONS).filter(([, addition]) => !added.some((line) => addition.test(line)));
    assert.deepEqual({ unexplained, unused }, { unexplained: [], unused: [] });
  });

  it.each(["promises", "constants", "classes", "promisified"])("is that of Node 26: %s", (part) => {
    assert.deepEqual(shapes[part], GOLDEN[part]);
  });
});

describe("a Dirent", () => {
  const look = { withFileTypes: true } as const;
  const descriptorsOf = (dirent: object) =>
    Object.entries(Object.getOwnPropertyDescriptors(dirent)).map(([key, { value: _value, ...rest }]) => [key, rest]);

  it("has the properties of the running Node's, and its parent as `path` where that has it, as an accessor", async () => {
    const oracle = createNodeFsSubject();
    for (const { fs, root } of [oracle, subject]) fs.writeFileSync(`${root}/entry`, "");
    const expected = descriptorsOf(oracle.fs.readdirSync(oracle.root, look)[0]).filter(([key]) => key !== "path");
    const { fs, root } = subject;
    const dir = await fs.promises.opendir(root);
    const dirents = [
      fs.readdirSync(root, look)[0],
      fs.readdirSync(root, { ...look, recursive: true })[0],
      (await fs.promises.readdir(root, look))[0],
      (await promisify(fs.readdir)(root, look as never))[0] as unknown as Dirent,
      dir.readSync() as Dirent,
      new fs.Dirent(...(["entry", 1, root] as unknown as [])),
    ];
    dir.closeSync();
    oracle.dispose();
    for (const dirent of dirents) {
      assert.deepEqual(descriptorsOf(dirent), expected);
      const { path } = dirent as { path?: unknown };
      assert.equal(path, DIRENT_HAS_PATH ? root : undefined);
      Object.assign(dirent, { path: "/other" });
      assert.deepEqual([(dirent as { path?: unknown }).path, dirent.parentPath], ["/other", root]);
    }
  });
});

describe("the golden file", () => {
  it("is what node:fs of Node 26 gives", async () => {
    const oracle = createNodeFsSubject();
    const current = await shapesOf(nodeFs, oracle.root);
    oracle.dispose();
    const golden = JSON.stringify(GOLDEN);
    assert.equal(JSON.stringify(current) === golden, isFollowedVersion());
  });
});

describe("callbacks", () => {
  it("run after the call has returned, in the order of the calls", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      subject.fs.stat(subject.root, () => order.push("first"));
      subject.fs.stat(`${subject.root}/missing`, () => {
        order.push("second");
        resolve();
      });
      order.push("returned");
    });
    assert.deepEqual(order, ["returned", "first", "second"]);
  });

  it("throw where nobody catches: an uncaught exception, not a rejection and not into the caller", async () => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
    subject.fs.stat(subject.root, () => {
      throw new Error("thrown by a callback");
    });
    const error = (await uncaught) as Error;
    for (const listener of listeners) process.on("uncaughtException", listener);
    assert.equal(error.message, "thrown by a callback");
  });
});
