/* Everything that needs cryptography, in a part of its own: the page opens without waiting for it. */
export { unhex } from '../shared/cbor';
export { listsCurrent, passNumber, verifyPass } from '../shared/pass';
export { applyList, listReplaces, openList } from '../shared/passlist';
