/** Uses all of node:fs's face, with a library of streams from elsewhere. */
import * as foliofs from "foliofs";
import "foliofs/streams";
import "foliofs/trees";
import "foliofs/watch";

Object.assign(globalThis, { foliofs });
