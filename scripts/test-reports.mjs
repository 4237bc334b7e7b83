/** The JSON reports that vitest leaves, one a run. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";

export const RESULTS = "build/test-results";

/** Whether a test file could not be loaded, which no test of it tells. */
function isUnloaded(file) {
  return file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed");
}

function reports() {
  const names = existsSync(RESULTS) ? readdirSync(RESULTS) : [];
  return names.map((name) => ({ name, report: JSON.parse(readFileSync(`${RESULTS}/${name}`, "utf8")) }));
}

/**
 * Adds up the reports in build/test-results/. Skipped tests count as neither.
 *
 * @returns numbers of passed and failed tests; a test file that could not be loaded counts as one failed
 */
export function sumReports() {
  const sum = { passed: 0, failed: 0 };
  for (const { report } of reports()) {
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests + report.testResults.filter(isUnloaded).length;
  }
  return sum;
}

/** @returns what has failed, each with its run, file, and the first lines of why: a log that is cut at its front ends with it */
function failures() {
  return reports().flatMap(({ name, report }) =>
    report.testResults.flatMap((file) => {
      const told = file.assertionResults.filter(({ status }) => status === "failed");
      const all = isUnloaded(file) ? [{ fullName: "could not be loaded", failureMessages: [file.message] }] : told;
      return all.map(({ fullName, failureMessages }) => {
        const why = failureMessages.join("\n").split("\n").slice(0, 12).join("\n    ");
        return `FAILED in ${name}: ${relative("", file.name)} > ${fullName}\n    ${why}`;
      });
    }),
  );
}

// Usage: node scripts/test-reports.mjs [failures found elsewhere]
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const failure of failures()) console.log(failure);
  const { passed, failed } = sumReports();
  console.log(`${passed} passed, ${failed + Number(process.argv[2] ?? 0)} failed`);
}
