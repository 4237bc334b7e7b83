/** foliofs/trees, for browsers: with it, faces that are made later have cp, glob and openAsBlob. Node's entry has them. */
import { registerTrees } from "./index-trees.ts";

registerTrees();
