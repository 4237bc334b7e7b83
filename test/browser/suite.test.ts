/** The browser's suite in Node: on foliofs and, as the oracle, on the host's tmpfs. */
import * as fs from "node:fs";
import { describe, it } from "vitest";
import { createFsSync } from "../../src/index.ts";
import { SUITE, type SuiteFs } from "./suite.ts";

describe.each<[name: string, make: () => { subject: SuiteFs; root: string; remove: () => void }]>([
  [
    "foliofs",
    () => {
      const subject = createFsSync();
      subject.mkdirSync("/work");
      return { subject, root: "/work", remove: () => subject.kernel.destroy() };
    },
  ],
  [
    "node:fs",
    () => {
      const root = fs.mkdtempSync("/dev/shm/foliofs-suite-");
      return { subject: fs, root, remove: () => fs.rmSync(root, { recursive: true, force: true }) };
    },
  ],
])("the browser's suite on %s", (_name, make) => {
  it.each(SUITE)("$name", async ({ run }) => {
    const { subject, root, remove } = make();
    try {
      await run(subject, root);
    } finally {
      remove();
    }
  });
});
