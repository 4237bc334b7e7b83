/** Installs the tools of test/package once for all its files. A failure is theirs to show: other tests go without. */
import type { TestProject } from "vitest/node";
import { packageTools } from "../../scripts/package-tools.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder with the tools in its node_modules, or why there is none. */
    tools: { folder: string } | { error: string };
  }
}

export default function setup(project: TestProject): void {
  try {
    project.provide("tools", { folder: packageTools() });
  } catch (error) {
    project.provide("tools", { error: String(error) });
  }
}
