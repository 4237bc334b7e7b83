/** node:test: the suites on foliofs itself, permissions included. */
import { describe, it } from "node:test";
import { createFsSync } from "foliofs";
import { conformance } from "foliofs/testing/conformance";

function create() {
  const fs = createFsSync();
  fs.mkdirSync("/work");
  return {
    fs,
    root: "/work",
    as: (credentials, call) => call(fs.kernel.task(credentials)),
    dispose: () => fs.kernel.destroy(),
  };
}

conformance(create, { describe, it });
