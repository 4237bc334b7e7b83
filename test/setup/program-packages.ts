/** Installs the programs before the first test file: two files at once would be in each other's way. */
import type { TestProject } from "vitest/node";
import { programPackages } from "../../scripts/package-tools.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder with the programs in its node_modules. */
    programs: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide("programs", programPackages());
}
