/** What packages that stand inside of the published bundles ask to be passed on with them: their licences, as one file. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const PACKAGE = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const LICENCE = /^(licen[cs]e|copying|notice)(\.|$)/i;

/** @param metafiles what esbuild says of each bundle @returns folders of the packages inside of any, in order of their names */
function packagesInside(metafiles) {
  const paths = metafiles.flatMap(({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)));
  return [...new Set(paths.flatMap((path) => PACKAGE.exec(path)?.[0] ?? []))].sort();
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}package.json`, "utf8"));
  const texts = readdirSync(folder).filter((file) => LICENCE.test(file));
  if (texts.length === 0) throw new Error(`${name} is bundled and has no licence to be passed on`);
  return [`${name} ${version} (${license})`, ...texts.map((file) => readFileSync(folder + file, "utf8").trim())].join(
    "\n\n",
  );
}

/** Writes the licences to `path`. */
export function writeLicences(path, metafiles) {
  const folders = packagesInside(metafiles).filter((folder) => existsSync(`${folder}package.json`));
  writeFileSync(path, `${folders.map(licenceOf).join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
}
