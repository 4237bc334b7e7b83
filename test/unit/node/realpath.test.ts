import * as nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import { ENAMETOOLONG } from "../../../src/base/errno.ts";
import { createFsSync } from "../../../src/index.ts";
import { hostFace } from "./host-face.ts";

const PATH_MAX = 4096;

/** A face whose kernel refuses paths of PATH_MAX bytes, as Linux does; the oracle's glibc asks in parts. */
function strictFace() {
  const face = hostFace();
  const { sys } = face;
  const realpath = sys.realpath.bind(sys);
  sys.realpath = (path) => (Buffer.byteLength(path) >= PATH_MAX ? -ENAMETOOLONG : realpath(path));
  return face;
}

function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

describe("realpath.native of a path that is too long for one call", () => {
  const LONG_NAME = "n".repeat(200);

  /** 15 levels of long names, reached by a short link. */
  function filled() {
    const face = strictFace();
    const deep = `${LONG_NAME}/`.repeat(15);
    nodeFs.mkdirSync(face.at(deep), { recursive: true });
    nodeFs.writeFileSync(face.at(`${deep}file`), "");
    nodeFs.symlinkSync(face.at(deep), face.at("short"));
    nodeFs.symlinkSync(".", face.at("here"));
    nodeFs.symlinkSync("loop", face.at("loop"));
    return face;
  }

  const REST: [name: string, rest: string][] = [
    ["dots", `${"./".repeat(2500)}short/file`],
    ["slashes", `${"/".repeat(5000)}short/file`],
    ["links", `${"here/".repeat(20)}${"./".repeat(2500)}short`],
    ["a link whose target is longer than what it replaces", `short/${"./".repeat(2500)}file`],
    ["steps back", `${"short/../".repeat(600)}${LONG_NAME}`],
    ["a file as a directory", `short/file/${"./".repeat(2500)}`],
    ["nothing there", `${"./".repeat(2500)}none/${"./".repeat(2500)}x`],
    ["a loop", `loop/${"./".repeat(2500)}`],
    ["a name that is too long", `${"./".repeat(2500)}${"x".repeat(256)}`],
    ["a name longer than a path", `${"./".repeat(10)}${"x".repeat(5000)}`],
  ];

  it.each(REST)("answers as glibc does: %s", async (_, rest) => {
    const { fs, at } = filled();
    // Not joined: that would normalize.
    const path = `${at(".")}/${rest}`;
    const expected = outcomeOf(() => nodeFs.realpathSync.native(path));
    expect(outcomeOf(() => fs.realpathSync.native(path))).toEqual(expected);
    expect(outcomeOf(() => fs.realpathSync.native(Buffer.from(path)))).toEqual(expected);
    const byPromise = await fs.promises.realpath(path).catch((error: NodeJS.ErrnoException) => error.code);
    expect(byPromise).toEqual(expected);
  });
});

/** On the host this ends never: Node takes a link that it has read for one that leads somewhere, by whatever name. */
describe("realpath of a link that has a name at which it leads to itself", () => {
  it.each(["c", "c/x"])("fails as the link does, where Node goes round for ever: %s", async (target) => {
    const fs = createFsSync();
    fs.mkdirSync("/c/x", { recursive: true });
    fs.symlinkSync(target, "/a");
    const inner = `/${target}/c`;
    fs.linkSync("/a", inner);
    const path = "/a/c";
    const code = outcomeOf(() => fs.realpathSync.native(path));
    expect(code).toBe("ELOOP");
    expect(outcomeOf(() => fs.realpathSync(path))).toBe(code);
    const byCallback = await new Promise((resolve) => fs.realpath(path, (error) => resolve(error?.code)));
    expect(byCallback).toBe(code);
    fs.kernel.destroy();
  });
});
