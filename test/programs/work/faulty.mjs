/** Work that is at fault, in the way that it is told. */
import nodeFs from "node:fs";
import { join } from "node:path";

const FAULTS = {
  none: () => {},
  differs: ({ fs, say }) => say(fs === nodeFs),
  leaks: ({ root }) => nodeFs.writeFileSync(join(root, "leak"), ""),
  stops: () => new Promise(() => {}),
  throws: ({ fs, root }) => fs.readFileSync(join(root, "missing")),
};

export default async function main(given) {
  given.say(given.args);
  await FAULTS[given.args[0]](given);
}
