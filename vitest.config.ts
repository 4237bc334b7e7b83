/**
 * Three projects: `core` runs on the core that FOLIOFS_BUILD names (debug, release or release-shared; see
 * test/setup/core-build.ts), `project` tests what is built and published, whichever core the tests run on, `programs` runs
 * programs of others on it (not by `npm test`: node scripts/test.mjs --programs).
 *
 * FOLIOFS_CHILD_COVERAGE: the folder in which processes and threads that tests start leave what V8 has counted of them.
 */
import { configDefaults, defineConfig } from "vitest/config";
import { entriesApart } from "./test/setup/entries-apart.ts";

const PROGRAM_TESTS = ["test/programs/**/*.test.ts"];
const PROJECT_TESTS = ["test/package/**/*.test.ts", "test/browser/**/*.test.ts", "test/scripts/**/*.test.ts"];

const { FOLIOFS_BUILD, FOLIOFS_CHILD_COVERAGE } = process.env;

/** Core tests that are left out, patterns with spaces between them: vitest's own --exclude says nothing to projects. */
const EXCLUDED = (process.env.FOLIOFS_EXCLUDE ?? "").split(" ").filter(Boolean);

export default defineConfig({
  test: {
    env: FOLIOFS_CHILD_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE: FOLIOFS_CHILD_COVERAGE },
    pool: "forks",
    maxWorkers: 2,
    chaiConfig: { truncateThreshold: 4000 }, // what a random test has found is all that a log tells of it
    projects: [
      {
        extends: true,
        // As they are published; on the other cores the entries share their modules.
        plugins: FOLIOFS_BUILD === "release" ? [entriesApart()] : [],
        test: {
          name: "core",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...PROJECT_TESTS, ...PROGRAM_TESTS, ...EXCLUDED],
          setupFiles: ["test/setup/core-build.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "project",
          include: PROJECT_TESTS,
          globalSetup: ["test/setup/package-tools.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: "programs",
          include: PROGRAM_TESTS,
          globalSetup: ["test/setup/program-packages.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
