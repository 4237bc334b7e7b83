/** Watching in the package as a user gets it: what keeps a process alive, and the entry for browsers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeUserFolder, type UserFolder } from "./user-folder.ts";

let user: UserFolder;

beforeAll(() => {
  user = makeUserFolder();
});

afterAll(() => user?.remove());

/** Runs a program that says "alive" after a while if something keeps it alive until then. */
function aliveBy(watching: string): string {
  return user.node(
    "alive.cjs",
    `const fs = require("foliofs").createFsSync();
const controller = new AbortController();
const watcher = (${watching});
setTimeout(() => {
  console.log("alive");
  watcher.close?.();
  watcher.stop?.();
  controller.abort();
}, 200).unref();
`,
  );
}

const ALIVE: readonly string[] = [
  `fs.watch("/")`,
  `fs.watch("/", { persistent: true })`,
  `fs.watch("/", { persistent: false }).ref()`,
  `fs.watch("/").unref().ref()`,
  `fs.watch("/", { recursive: true })`,
  `fs.watchFile("/f", () => {})`,
  `fs.watchFile("/f", () => {}).unref().ref()`,
  `fs.promises.watch("/", { signal: controller.signal }).next().catch(() => {}) && {}`,
];
const DEAD: readonly string[] = [
  `fs.watch("/", { persistent: false })`,
  `fs.watch("/").unref()`,
  `fs.watch("/", { recursive: true, persistent: false })`,
  `fs.watchFile("/f", { persistent: false }, () => {})`,
  `fs.watchFile("/f", () => {}).unref()`,
  `fs.promises.watch("/", { persistent: false }).next() && {}`,
  `(fs.watchFile("/f", () => {}), fs.unwatchFile("/f"), {})`,
  `(fs.watch("/").close(), {})`,
];

describe("a process", () => {
  it.each(ALIVE)("is kept alive by %s", (watching) => {
    expect(aliveBy(watching)).toBe("alive\n");
  });
  it.each(DEAD)("is not kept alive by %s", (watching) => {
    expect(aliveBy(watching)).toBe("");
  });
});

describe("the entry for browsers", () => {
  const PROGRAM = `
import { createFsSync } from "./node_modules/foliofs/dist/browser.js";
const fs = createFsSync();
try {
  const watcher = fs.watch("/", (type, name) => console.log(type, name));
  fs.writeFileSync("/a", "text");
  setTimeout(() => watcher.close(), 50);
} catch (error) {
  console.log(error.code);
}
`;

  it("brings it", () => {
    expect(user.node("with.mjs", `import "foliofs/watch";${PROGRAM}`)).toBe("rename a\nchange a\n");
  });
  it("is what it takes", () => {
    expect(user.node("without.mjs", PROGRAM)).toBe("ERR_METHOD_NOT_IMPLEMENTED\n");
  });
  it("matches patterns to ignore where foliofs/trees is there, and says so where not", () => {
    const program = (imported: string): string => `import "foliofs/watch"; ${imported}
import { createFsSync } from "./node_modules/foliofs/dist/browser.js";
const fs = createFsSync();
try {
  const watcher = fs.watch("/", { ignore: "*.log" }, (type, name) => console.log(type, name));
  for (const name of ["a.log", "b"]) fs.writeFileSync("/" + name, "");
  setTimeout(() => watcher.close(), 50);
} catch (error) {
  console.log(error.code, error.message.includes("foliofs/trees"));
}
`;
    expect(user.node("patterns.mjs", program('import "foliofs/trees";'))).toBe("rename b\n");
    expect(user.node("none.mjs", program(""))).toBe("ERR_METHOD_NOT_IMPLEMENTED true\n");
  });
  it("is there for CommonJS", () => {
    expect(
      user.node("with.cjs", `require("foliofs/watch"); console.log(typeof require("foliofs").createFsSync().watch);`),
    ).toBe("function\n");
  });
});
