/** Swaps a directory for a link that leads outside, and a file likewise, again and again. node swapper.mjs FOLDER OUTSIDE */
import { renameSync, symlinkSync, unlinkSync } from "node:fs";

const [, , folder, outside] = process.argv;
const swap = (name, target) => {
  renameSync(`${folder}/${name}`, `${folder}/.${name}`);
  symlinkSync(target, `${folder}/${name}`);
  unlinkSync(`${folder}/${name}`);
  renameSync(`${folder}/.${name}`, `${folder}/${name}`);
};
const quietly = (call) => {
  try {
    call();
  } catch {} // the other side has made or removed something there
};
process.send("ready");
setImmediate(function again() {
  for (let i = 0; i < 200; i++) {
    quietly(() => swap("dir", outside));
    quietly(() => swap("file", `${outside}/canary`));
  }
  setImmediate(again);
});
