/** The JSON reports that vitest leaves, one a run. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

export const RESULTS = "build/test-results";

/**
 * Adds up the reports in build/test-results/. Skipped tests count as neither.
 *
 * @returns numbers of passed and failed tests; a test file that could not be loaded counts as one failed
 */
export function sumReports() {
  const sum = { passed: 0, failed: 0 };
  for (const name of existsSync(RESULTS) ? readdirSync(RESULTS) : []) {
    const report = JSON.parse(readFileSync(`${RESULTS}/${name}`, "utf8"));
    const unloaded = report.testResults.filter((file) => {
      return file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed");
    });
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests + unloaded.length;
  }
  return sum;
}

// Usage: node scripts/test-reports.mjs [failures found elsewhere]
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed, failed } = sumReports();
  console.log(`${passed} passed, ${failed + Number(process.argv[2] ?? 0)} failed`);
}
