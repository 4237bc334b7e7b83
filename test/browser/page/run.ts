/** Runs the suite where this is called: on the page's main thread or in a worker. */
import { createFsSync, type FolioFs, restoreFsSync } from "foliofs";
import { runSuite } from "../suite.ts";
import { globalTypes, type Outcome } from "./outcome.ts";

function restores(fs: FolioFs): boolean {
  fs.writeFileSync("/kept", "kept over a restore");
  const copy = restoreFsSync(fs.kernel.snapshot());
  return copy.readFileSync("/kept", "utf8") === "kept over a restore";
}

function sharedError(): string {
  try {
    createFsSync({ shared: true });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

export async function runAll(fs: FolioFs): Promise<Outcome> {
  fs.mkdirSync("/work");
  const results = await runSuite(fs, "/work");
  return { results, globals: globalTypes(), isRestored: restores(fs), sharedError: sharedError() };
}
