#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ravelin keygen, sign, verify and inspect, with openssl as the second opinion on keys and signatures."""

import hashlib
import os
import stat
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "system"))
import tap  # noqa: E402

RAVELIN = "build/tools/ravelin"
CURVES = {"p256": (256, "sha256", "prime256v1"), "p384": (384, "sha384", "secp384r1")}
GPA = 0x40200000
PAGE = 4096

# struct rv_launch of include/ravelin/abi.h
KEY_AT, SIGNATURE_AT, IMAGES_AT, MANIFEST_AT = 64, 160, 256, 384


class Place:
    """A directory with a key for each curve and an image, for one test."""

    def __init__(self, *curves):
        self._directory = tempfile.TemporaryDirectory()
        self.path = self._directory.name
        self.image = self.file("image", os.urandom(10001))
        for curve in curves:
            self.ravelin("keygen", "--curve", curve, "-o", self.out(curve), "--public", self.out(curve + ".pub"))

    def file(self, name, content):
        path = self.out(name)
        with open(path, "wb") as stream:
            stream.write(content)
        return path

    def out(self, name):
        return os.path.join(self.path, name)

    def read(self, name):
        with open(self.out(name), "rb") as stream:
            return stream.read()

    def names(self):
        return sorted(os.listdir(self.path))

    @staticmethod
    def ravelin(*arguments):
        done = tap.run(RAVELIN, *arguments)
        tap.equal(done.status, 0, done)
        return done.out

    def refuses(self, words, *arguments, status=1):
        """ravelin fails with `status`, says `words`, prints nothing else and leaves no new file."""
        before = self.names()
        done = tap.run(RAVELIN, *arguments)
        tap.equal((done.status, done.out), (status, ""), done)
        tap.require(words in done.err, done)
        tap.equal(self.names(), before, done)

    def sign(self, key="p256", *options, image=None):
        """Signs the image at GPA into the file "launch"."""
        self.ravelin("sign", "--key", self.out(key), "--image", f"{image or self.image}@{GPA:#x}", *options,
                     "-o", self.out("launch"))
        return self.read("launch")

    def verify(self, *options):
        return self.ravelin("verify", "--launch", self.out("launch"), "--image", f"{self.image}@{GPA:#x}", *options)

    def refuses_launch(self, words, *options, launch="launch"):
        self.refuses(words, "verify", "--launch", self.out(launch), "--image", f"{self.image}@{GPA:#x}", *options)


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], check=True, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


def manifest_of(page):
    return page[MANIFEST_AT:MANIFEST_AT + struct.unpack_from("<I", page, 16)[0]]


def der_integer(number):
    number = number.lstrip(b"\0") or b"\0"
    number = (b"\0" if number[0] & 0x80 else b"") + number
    return b"\x02" + bytes([len(number)]) + number


def der_signature(raw):
    """r, s as openssl wants them; all lengths here are below 128."""
    half = len(raw) // 2
    body = der_integer(raw[:half]) + der_integer(raw[half:])
    return b"\x30" + bytes([len(body)]) + body


def raw_signature(der, half):
    """The way back."""
    r_length = der[3]
    r, s = der[4:4 + r_length], der[6 + r_length:]
    return b"".join(number.lstrip(b"\0").rjust(half, b"\0") for number in (r, s))


def key_bytes(public):
    """SEC1's uncompressed point of a public key's file."""
    der = openssl("pkey", "-pubin", "-in", public, "-outform", "DER")
    return der[-97:] if len(der) > 100 else der[-65:]


for name, (bits, digest, ossl_curve) in CURVES.items():
    def keys_are_readable(curve=name):
        place = Place()
        place.file("k.pub", b"old")
        printed = place.ravelin("keygen", "--curve", curve, "-o", place.out("k"), "--public", place.out("k.pub"))
        tap.equal(stat.S_IMODE(os.stat(place.out("k")).st_mode), 0o600)
        openssl("pkey", "-in", place.out("k"), "-check", "-noout")
        tap.equal(openssl("pkey", "-in", place.out("k"), "-pubout"), place.read("k.pub"))
        tap.equal(printed.strip(), hashlib.sha256(key_bytes(place.out("k.pub"))).hexdigest())
        tap.equal(place.names(), ["image", "k", "k.pub"])

    tap.test(keys_are_readable, f"openssl reads a key of {name}; what keygen prints is the hash of its point")

    def openssl_verifies(curve=name, bits=bits, digest=digest):
        place = Place(curve)
        page = place.sign(curve, "--parameters", "0x41000000:4K")
        place.file("manifest", manifest_of(page))
        place.file("signature", der_signature(page[SIGNATURE_AT:SIGNATURE_AT + bits // 4]))
        said = openssl("dgst", "-" + digest, "-verify", place.out(curve + ".pub"), "-signature", place.out("signature"),
                       place.out("manifest"))
        tap.equal(said, b"Verified OK\n")
        tap.equal(page[KEY_AT:KEY_AT + bits // 4], key_bytes(place.out(curve + ".pub"))[1:])

    tap.test(openssl_verifies, f"openssl verifies the signature over the manifest's bytes, {name}")

    def round_trip(curve=name, bits=bits):
        place = Place(curve)
        page = place.sign(curve)
        owner = hashlib.sha256(key_bytes(place.out(curve + ".pub"))).hexdigest()
        for option in ((), ("--owner", owner), ("--owner", owner.upper()), ("--public", place.out(curve + ".pub"))):
            tap.equal(place.verify(*option), f"good: signed by {owner}\n")
        tap.equal(page, place.sign(curve))
        tap.equal(struct.unpack_from("<8sIIIIQ", page), (b"RVLAUNCH", 1, bits, len(manifest_of(page)), 1, GPA))
        tap.equal(page[32:64].hex(), owner)
        tap.equal(struct.unpack_from("<QQQ", page, IMAGES_AT), (GPA, 10001, 0))

    tap.test(round_trip, f"what {name} signs is good, for the right owner; the same input gives the same bytes")

    def openssl_keys(curve=name, ossl_curve=ossl_curve):
        place = Place()
        openssl("ecparam", "-name", ossl_curve, "-genkey", "-out", place.out("sec1"))
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + ossl_curve, "-out", place.out("pkcs8"))
        for key in ("sec1", "pkcs8"):
            place.file("pub", openssl("pkey", "-in", place.out(key), "-pubout"))
            place.sign(key)
            place.verify("--public", place.out("pub"))

    tap.test(openssl_keys, f"keys of {name} that openssl made sign as well, PKCS#8 and SEC1")

    def changed_pages(curve=name, bits=bits):
        place = Place(curve)
        page = place.sign(curve, "--parameters", "0x41000000:4K")
        used = set(range(MANIFEST_AT + len(manifest_of(page))))
        used -= set(range(KEY_AT + bits // 4, SIGNATURE_AT)) | set(range(SIGNATURE_AT + bits // 4, IMAGES_AT))
        used -= set(range(IMAGES_AT + 2 * 24, MANIFEST_AT))
        for at in sorted(at for at in used if at < 32 or at % 5 == 0):
            changed = bytearray(page)
            changed[at] ^= 1 << at % 8
            place.file("changed", bytes(changed))
            done = tap.run(RAVELIN, "verify", "--launch", place.out("changed"), "--image", f"{place.image}@{GPA:#x}")
            tap.equal((done.status, done.out), (1, ""), f"byte {at}: {done}")
            tap.require(done.err.startswith("ravelin: "), done)

    tap.test(changed_pages, f"a changed bit anywhere in the page is found, {name}")


@tap.test
def keygen_never_loses_a_key():
    "keygen does not replace a key unless told to, and leaves nothing when it fails"
    place = Place("p256")
    old = place.read("p256")
    place.refuses("File exists", "keygen", "-o", place.out("p256"))
    tap.equal(place.read("p256"), old)
    os.chmod(place.out("p256"), 0o644)
    place.ravelin("keygen", "--force", "-o", place.out("p256"))
    tap.require(place.read("p256") != old, "the new key is the old one")
    tap.equal(stat.S_IMODE(os.stat(place.out("p256")).st_mode), 0o600)
    place.refuses("cannot write", "keygen", "-o", place.out("no/such/directory"))


@tap.test
def what_is_no_key_is_refused():
    "what is no private key of these curves is refused by name"
    place = Place("p256")
    openssl("ecparam", "-name", "secp521r1", "-genkey", "-out", place.out("p521"))
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", place.out("rsa"))
    openssl("pkey", "-in", place.out("p256"), "-aes128", "-passout", "pass:x", "-out", place.out("encrypted"))
    place.file("cut", place.read("p256")[:150])
    place.file("long", b"-----BEGIN PRIVATE KEY-----\n" + (b"A" * 64 + b"\n") * 100 + b"-----END PRIVATE KEY-----\n")
    place.file("noise", os.urandom(3000))
    damaged = openssl("pkey", "-in", place.out("p256"), "-outform", "DER")
    openssl_der = damaged[:36] + b"\xff" * 32 + damaged[68:]  # the number: beyond the curve's order
    place.file("range", openssl_pem(openssl_der))
    none, other = "no unencrypted private key", "not a private key of P-256 or P-384"
    for key, words in (("p521", other), ("rsa", other), ("range", other), ("p256.pub", none), ("encrypted", none),
                       ("cut", none), ("long", other), ("noise", none), ("gone", "cannot read the private key")):
        place.refuses(words, "sign", "--key", place.out(key), "--image", f"{place.image}@0", "-o", place.out("launch"))
    place.sign()
    for key, words in (("p256", "no public key"), ("image", "no public key"), ("gone", "cannot read the public key")):
        place.refuses_launch(words, "--public", place.out(key))
    place.file("p521.pub", openssl("pkey", "-in", place.out("p521"), "-pubout"))
    place.refuses_launch("not a public key of P-256 or P-384", "--public", place.out("p521.pub"))


def openssl_pem(der):
    text = openssl("base64", data=der)
    return b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"


@tap.test
def another_owner_is_refused():
    "another owner's signature is refused, and an owner's hash put over another's key"
    place = Place("p256", "p384")
    page = place.sign()
    place.refuses_launch("signed by another owner", "--public", place.out("p384.pub"))
    place.refuses_launch("signed by another owner", "--owner", "0" * 64)
    place.file("launch", page[:32] + bytes(32) + page[64:])
    place.refuses_launch("owner hash is not that of its key", "--owner", "0" * 64)


@tap.test
def changed_images_are_refused():
    "an image that is changed, cut, longer, elsewhere, missing or not signed is refused"
    place = Place("p256")
    page = place.sign("p256", "--parameters", "0x41000000:8K")
    good = place.read("image")
    for content, words in ((good[:-1], "10000 bytes, the owner signed 10001"), (good + b"\0", "10002 bytes"),
                           (b"\0" + good[1:], "not the bytes"), (good[:-1] + bytes([good[-1] ^ 1]), "not the bytes")):
        place.file("image", content)
        place.refuses_launch(words)
    place.file("image", good)
    place.verify()
    parameter, large = place.file("tree", bytes(4096)), place.file("large", bytes(4097))
    verify = ("verify", "--launch", place.out("launch"))
    image = ("--image", f"{place.image}@{GPA:#x}")
    place.ravelin(*verify, *image, "--image", f"{parameter}@0x41000000")
    place.ravelin(*verify, *image, "--image", f"{parameter}@0x41001000")
    place.refuses("more images than the owner signed", *verify, *image, "--image", f"{large}@0x41001000")
    place.refuses("more images than the owner signed", *verify, *image, "--image", f"{parameter}@0x41002000")
    place.refuses("a second image", *verify, *image, *image)
    place.refuses("is missing", *verify, "--image", f"{place.image}@{GPA + PAGE:#x}")
    place.refuses("name the images", *verify)
    tap.equal(page, place.read("launch"))


@tap.test
def pages_behind_images_are_found():
    "a launch page behind an image is found; the image before it is what it must be"
    place = Place("p256")
    padded = os.urandom(3 * PAGE)
    page = place.sign("p256", image=place.file("padded", padded))
    place.file("both", padded + page)
    place.ravelin("verify", "--launch", place.out("both"))
    tap.require(f"image:      {GPA:#x}, {3 * PAGE} bytes" in place.ravelin("inspect", place.out("both")))
    place.file("both", padded[:-1] + bytes([padded[-1] ^ 1]) + page)
    place.refuses("not the bytes that the owner signed", "verify", "--launch", place.out("both"))
    place.refuses("no launch page", "inspect", place.out("padded"))
    place.refuses("no launch page", "inspect", place.file("half", page[:2048]))


@tap.test
def inspect_says_what_was_signed():
    "inspect shows owner, curve, manifest hash, entry, policy, images and parameters"
    place = Place("p384")
    second = place.file("second", bytes(5))
    page = place.sign("p384", "--image", f"{second}@0x50000000", "--entry", "0x50000004", "--parameters",
                      "1G:2M", "--vcpus-max", "2", "--snapshots")
    tap.equal(place.ravelin("inspect", place.out("launch")).splitlines(), [
        "owner:      " + hashlib.sha256(key_bytes(place.out("p384.pub"))).hexdigest(),
        "curve:      P-384",
        "manifest:   " + hashlib.sha256(manifest_of(page)).hexdigest(),
        "entry:      0x50000004",
        "vcpus-max:  2",
        "snapshots:  allowed",
        f"image:      0x40200000, 10001 bytes, {hashlib.sha256(place.read('image')).hexdigest()}",
        f"image:      0x50000000, 5 bytes, {hashlib.sha256(bytes(5)).hexdigest()}",
        "parameters: 0x40000000, 2097152 bytes, unsigned"])
    path = place.file("manifest", manifest_of(page))
    for node, name, value in (("/", "compatible", "ravelin,manifest-1"), ("/", "vcpus-max", "2"),
                              ("/images/image@50000000", "reg", "0 1342177280 0 5"),
                              ("/parameters/parameter@40000000", "reg", "0 1073741824 0 2097152")):
        got = subprocess.run(["fdtget", path, node, name], check=True, stdout=subprocess.PIPE).stdout.decode().strip()
        tap.equal(got, value)


WRONG_PLANS = {
    "an address off a page": (("--image", "{image}@0x40200800"), "not page aligned"),
    "an address beyond guest memory": (("--image", "{image}@0x10000000000"), "beyond guest memory"),
    "an image that ends beyond guest memory": (("--image", "{image}@0xfffffff000"), "beyond guest memory"),
    "overlapping images": (("--image", "{image}@0x40202000"), "overlaps"),
    "an image over parameters": (("--parameters", "0x40202000:4K"), "overlaps the parameters"),
    "parameters off a page": (("--parameters", "0x41000001:4K"), "not page aligned"),
    "empty parameters": (("--parameters", "0x41000000:0"), "is empty"),
    "parameters that wrap": (("--parameters", "0x41000000:0xfffffffffffff000"), "beyond guest memory"),
    "an entry in no image": (("--entry", "0x41000000"), "lies in no image"),
    "an entry behind an image's last byte": (("--entry", "0x40202714"), "lies in no image"),
    "an entry in parameters": (("--parameters", "0x41000000:4K", "--entry", "0x41000000"), "lies in no image"),
    "an odd entry": (("--entry", "0x40200002"), "not 4-byte aligned"),
    "an image that is missing": (("--image", "{gone}@0x41000000"), "cannot read the image"),
    "an empty image": (("--image", "{empty}@0x41000000"), "the image is empty"),
}
for label, (options, message) in WRONG_PLANS.items():
    def wrong_plan(options=options, message=message):
        place = Place("p256")
        names = {"image": place.image, "gone": place.out("gone"), "empty": place.file("empty", b"")}
        place.refuses(message, "sign", "--key", place.out("p256"), "--image", f"{place.image}@{GPA:#x}",
                      *(option.format(**names) for option in options), "-o", place.out("launch"))

    tap.test(wrong_plan, f"sign refuses {label}")


def resigned(place, manifest):
    """A launch page with a manifest of our own, signed by openssl with the P-256 key."""
    place.file("manifest", manifest)
    der = openssl("dgst", "-sha256", "-sign", place.out("p256"), place.out("manifest"))
    page = bytearray(place.sign())
    struct.pack_into("<I", page, 16, len(manifest))
    page[SIGNATURE_AT:SIGNATURE_AT + 64] = raw_signature(der, 32)
    page[MANIFEST_AT:] = manifest.ljust(PAGE - MANIFEST_AT, b"\0")
    place.file("launch", bytes(page))


@tap.test
def signed_rubbish_is_refused():
    "a good signature does not make a manifest of what is none, nor hints of what the manifest does not say"
    place = Place("p256")
    page = place.sign()
    manifest = manifest_of(page)
    resigned(place, manifest)
    place.verify()
    for wrong in (manifest[:-1], manifest + b"\0", bytes(len(manifest)), manifest.replace(b"manifest-1", b"manifest-2"),
                  manifest.replace(b"sha256", b"sha512"), manifest.replace(b"entry", b"entrx")):
        resigned(place, wrong)
        place.refuses_launch("not a manifest that the corevisor takes")
    for at in (24, IMAGES_AT, IMAGES_AT + 8, IMAGES_AT + 16, 20):
        changed = bytearray(page)
        changed[at] ^= 4
        place.file("launch", bytes(changed))
        place.refuses_launch("is not the manifest's")


@tap.test
def wrong_usage_is_status_2():
    "wrong usage gives status 2 and points to --help"
    place = Place("p256")
    place.sign()
    key, out = ("--key", place.out("p256")), ("-o", place.out("new"))
    image, launch = ("--image", f"{place.image}@0"), ("--launch", place.out("launch"))
    too_many = [option for i in range(6) for option in ("--image", f"{place.image}@{i}M")]
    for words, arguments in (
            ("--output is missing", ("keygen",)), ("not a curve", ("keygen", "--curve", "p521", *out)),
            ("unexpected argument 'x'", ("keygen", *out, "x")),
            ("--key is missing", ("sign", *image, *out)), ("--image is missing", ("sign", *key, *out)),
            ("--output is missing", ("sign", *key, *image)), ("more than 5 images", ("sign", *key, *too_many, *out)),
            ("is not FILE@GPA", ("sign", *key, "--image", place.image, *out)),
            ("is not FILE@GPA", ("sign", *key, "--image", f"{place.image}@-4096", *out)),
            ("is not FILE@GPA", ("sign", *key, "--image", f"{place.image}@0x", *out)),
            ("is not FILE@GPA", ("sign", *key, "--image", f"{place.image}@99999999999G", *out)),
            ("is not FILE@GPA", ("sign", *key, "--image", "@4096", *out)),
            ("is not GPA:BYTES", ("sign", *key, *image, "--parameters", "0x1000", *out)),
            ("is not GPA:BYTES", ("sign", *key, *image, "--parameters", "0x1000:4T", *out)),
            ("is not an address", ("sign", *key, *image, "--entry", "start", *out)),
            ("is not a number of vCPUs", ("sign", *key, *image, "--vcpus-max", "0", *out)),
            ("is not a number of vCPUs", ("sign", *key, *image, "--vcpus-max", "65", *out)),
            ("unexpected argument 'x'", ("sign", *key, *image, *out, "x")),
            ("--launch is missing", ("verify", *image)), ("unexpected argument", ("verify", *launch, "x")),
            ("is not a hash", ("verify", *launch, "--owner", "0" * 63)),
            ("is not a hash", ("verify", *launch, "--owner", "g" * 64)),
            ("do not go together", ("verify", *launch, "--owner", "0" * 64, "--public", "p")),
            ("a file is missing", ("inspect",)), ("unexpected argument", ("inspect", "a", "b")),
            ("--frob", ("keygen", "--frob")), ("--frob", ("sign", "--frob")), ("--frob", ("inspect", "--frob"))):
        place.refuses(words, *arguments, status=2)
        place.refuses("--help", *arguments, status=2)


tap.main()
