/** Installs the programs before the first test file: two files at once would be in each other's way. */
import { programPackages } from "../../scripts/package-tools.mjs";

export default function setup(): void {
  programPackages();
}
