// The passes and lists of tests/vectors/pass.json read by software of others: COSE by @auth0/cose, Ed25519 by OpenSSL, CBOR by cbor-x,
// BLAKE2b by @noble/hashes.  Nothing of src/pass runs here.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
if (!existsSync(join(here, 'node_modules/@auth0/cose')))
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: here, stdio: ['ignore', 'ignore', 'inherit'] });
const { Sign1, decode } = await import('@auth0/cose');
const { Decoder } = await import('cbor-x');
const { blake2b } = await import('@noble/hashes/blake2b');

const vectors = JSON.parse(readFileSync(join(here, '../vectors/pass.json'), 'utf8'));
const cbor = new Decoder({ mapsAsObjects: false, int64AsNumber: true });
const bytes = hex => Buffer.from(hex, 'hex');
const blake = (...parts) => Buffer.from(blake2b(Buffer.concat(parts), { dkLen: 32 }));
const idBytes = id => bytes(id.replaceAll('-', ''));
const AREAS = 1, KIND = 2, OUTINGS = 3, DAYS = 4;

const keys = new Map();
for (const k of vectors.key_set.keys) {
    const jwk = { kty: k.kty, crv: k.crv, x: bytes(k.x).toString('base64url') };
    keys.set(k.kid, await webcrypto.subtle.importKey('jwk', jwk, 'Ed25519', true, ['verify']));
}

function base45(text) {
    const digits = [...text].map(c => '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'.indexOf(c));
    const out = [];
    for (let i = 0; i < digits.length; i += 3) {
        const value = digits[i] + 45 * digits[i + 1] + 2025 * (digits[i + 2] ?? 0);
        out.push(...(i + 2 < digits.length ? [value >> 8, value & 255] : [value]));
    }
    return Buffer.from(out);
}
const token = text => inflateSync(base45(text.slice('LF1:'.length)));
const sign1 = async raw => decode(raw, Sign1);
const verify = async message => message.verify(keys.get(Buffer.from(message.protectedHeaders.get(4)).toString('hex')));

test('the key ids are the first bytes of BLAKE2b-256 of the keys', () => {
    for (const k of vectors.key_set.keys) assert.equal(blake(bytes(k.x)).subarray(0, 8).toString('hex'), k.kid);
});

test('every issued pass is a COSE_Sign1 with EdDSA over a CWT with its claims', async () => {
    for (const { text, claims, cose, payload } of vectors.issue) {
        assert.deepEqual(token(text), bytes(cose));
        const message = await sign1(token(text));
        assert.equal(message.protectedHeaders.get(1), -8);
        assert.equal(message.unprotectedHeaders.size, 0);
        assert.equal(Buffer.from(message.payload).toString('hex'), payload);
        await verify(message);
        const cwt = cbor.decode(Buffer.from(message.payload)), own = cwt.get(-65537);
        assert.deepEqual([cwt.get(1), cwt.get(4), cwt.get(5), cwt.get(6)], [claims.iss, claims.exp, claims.nbf, claims.iat]);
        assert.deepEqual(Buffer.from(cwt.get(7)), idBytes(claims.id));
        assert.deepEqual([own.get(AREAS), own.get(KIND)], [claims.areas, claims.kind]);
        assert.deepEqual([own.get(OUTINGS) ?? 0, own.get(DAYS) ?? 0], [claims.outings, claims.days]);
        assert.equal(cwt.size, 6);
        assert.equal(own.size, claims.outings ? 4 : 2);
    }
});

test('a signature fits exactly where the verdict says so', async () => {
    const read = new Set(['valid', 'expired', 'not_yet_valid', 'wrong_area', 'revoked', 'stay_home']);
    let fits = 0, forged = 0;
    for (const { name, verdict, text } of vectors.verify) {
        if (verdict !== 'forged' && !read.has(verdict)) continue;
        const message = await sign1(token(text));
        if (verdict === 'forged') await assert.rejects(verify(message), name), forged++;
        else await verify(message), fits++;
    }
    assert.ok(fits >= 15 && forged >= 4);
});

test('a list holds the first 8 bytes of BLAKE2b-256 of salt and id, in order', async () => {
    const lists = [];
    for (const hex of vectors.gate_lists) {
        const message = await sign1(bytes(hex));
        assert.equal(message.protectedHeaders.get(3), 'lf-list');
        await verify(message);
        lists.push(cbor.decode(Buffer.from(message.payload)).get(-65538));
    }
    for (const { gate_list, id, has } of vectors.members) {
        const entries = Buffer.from(lists[gate_list].get(4)).toString('hex').match(/.{16}/g);
        assert.deepEqual(entries, [...entries].sort());
        assert.equal(entries.includes(blake(Buffer.from(lists[gate_list].get(3)), idBytes(id)).subarray(0, 8).toString('hex')), has);
    }
});

test('changes lead from one list to the next and name the digest of what comes out', async () => {
    const entries = b => Buffer.from(b).toString('hex').match(/.{16}/g) ?? [];
    for (const change of vectors.changes.filter(c => c.fits)) {
        const [from, delta] = await Promise.all([change.list, change.delta].map(async hex => cbor.decode(Buffer.from((await sign1(bytes(hex))).payload)).get(-65538)));
        const removed = new Set(entries(delta.get(6)));
        const after = [...entries(from.get(4)).filter(e => !removed.has(e)), ...entries(delta.get(4))].sort().join('');
        assert.equal(after, change.hashes);
        assert.deepEqual(blake(bytes(after)), Buffer.from(delta.get(7)));
        assert.equal(delta.get(5), from.get(2));
    }
});
