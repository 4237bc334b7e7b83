/** One tree, prepared once, for many tests: a fork for each; and a save file between runs. */
import { readFileSync as readHost, rmSync, writeFileSync as writeHost } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFsSync, type FolioFs, restoreFsSync } from "foliofs";

const prepared = createFsSync({ memoryLimit: 64 * 2 ** 20 });
prepared.fromJSON({ "package.json": '{ "name": "app" }', "src/a.js": "1", "src/b.js": "2" }, "/app");

/** Runs `test` on a file system of its own. */
function withFork(test: (fs: FolioFs) => void): void {
  const kernel = prepared.kernel.fork();
  try {
    test(kernel.fs);
  } finally {
    kernel.destroy();
  }
}

withFork((fs) => {
  fs.rmSync("/app/src", { recursive: true });
  fs.existsSync("/app/src/a.js"); // → false
});
withFork((fs) => {
  fs.readdirSync("/app/src"); // → ["a.js", "b.js"]
});

// A snapshot is bytes: foliofs does not say where they go.
const file = join(tmpdir(), `foliofs-example-${process.pid}`);
writeHost(file, prepared.kernel.snapshot());
const restored = restoreFsSync(readHost(file));
rmSync(file);
restored.readFileSync("/app/src/b.js", "utf8"); // → "2"
restored.statSync("/app").ino === prepared.statSync("/app").ino; // → true
