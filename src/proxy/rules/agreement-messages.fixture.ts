// Expressions on messages of other protocols, tokens and 64-bit hashes, asked of HAProxy 2.6 and of our rules
// alike. Messages are put together here, good ones and those with one thing wrong.
import { createHmac } from "node:crypto";

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const short = (value: number): Buffer => bytes(value >> 8, value & 255);
const long = (value: number): Buffer => Buffer.concat([short(value >>> 16), short(value & 65535)]);
const text = (value: string): Buffer => Buffer.concat([short(value.length), Buffer.from(value)]);
const hex = (...parts: Buffer[]): string => Buffer.concat(parts).toString("hex");

/** An MQTT packet of less than 128 bytes. */
function packet(first: number, ...body: Buffer[]): string {
  const content = Buffer.concat(body);
  return hex(bytes(first, content.length), content);
}

function sized(...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([bytes(content.length), content]);
}

const WILL_AND_LOGIN = [text("will/t"), text("gone"), text("user"), text("pw")];
const PROPERTIES = [bytes(17), long(30), bytes(33), short(20), bytes(21), text("method")];
const WILL_PROPERTIES = [bytes(24), long(5), bytes(3), text("text"), bytes(1, 1)];
const CONNECT_4 = [text("MQTT"), bytes(4, 0xee), short(60), text("client"), ...WILL_AND_LOGIN];
const CONNECT_5 = packet(
  0x10,
  ...[text("MQTT"), bytes(5, 0xee), short(60), sized(...PROPERTIES), text("client")],
  ...[sized(...WILL_PROPERTIES), ...WILL_AND_LOGIN],
);
const CONNACK_4 = packet(0x20, bytes(1, 0));
const CONNACK_5 = packet(
  0x20,
  bytes(1, 0x87),
  sized(bytes(36, 1, 18), text("given"), bytes(19), short(9), bytes(37, 0)),
);

/** CONNECT of a client "x" with other beginnings. */
function connect(name: string, version: number, flags: number, ...rest: Buffer[]): string {
  return packet(0x10, text(name), bytes(version, flags), short(10), ...rest);
}

const MQTT_PACKETS: readonly string[] = [
  packet(0x10, ...CONNECT_4),
  CONNECT_5,
  connect("MQIsdp", 3, 2, text("x")),
  connect("MQTT", 3, 2, text("x")),
  connect("MQTT", 6, 2, text("x")),
  connect("MQIsdp", 4, 2, text("x")),
  connect("mqtt", 4, 2, text("x")),
  connect("MQTT", 4, 3, text("x")),
  connect("MQTT", 4, 0x1e, text("x"), text("a"), text("b")),
  connect("MQTT", 4, 0x0a, text("x")),
  connect("MQTT", 4, 2, text("x"), bytes(1, 2)),
  connect("MQTT", 4, 0x42, text("x"), text("pw")),
  connect("MQTT", 5, 2, sized(...PROPERTIES, bytes(33), short(1)), text("x")),
  connect("MQTT", 5, 2, sized(bytes(36, 1)), text("x")),
  packet(0x11, ...CONNECT_4),
  packet(0x10, ...CONNECT_4).slice(0, -4),
  `${packet(0x10, ...CONNECT_4)}c000`,
  "0000",
  "f000",
  "30050003612f6278",
  "62020001",
  "60020001",
  "c000",
  "10ffffffff7f",
  CONNACK_4,
  CONNACK_5,
  "20020200",
  "200101",
  "2003000000",
];

const CONNECT_FIELDS =
  "flags protocol_name protocol_version client_identifier will_topic will_payload username password keepalive";

const MQTT: readonly string[] = [
  ...MQTT_PACKETS.map((one) => `bin(${one}),mqtt_is_valid`),
  ...`${CONNECT_FIELDS} 17 33 21 24 3 1 39`
    .split(" ")
    .map((field) => `bin(${CONNECT_5}),mqtt_field_value(connect,${field})`),
  ...`${CONNECT_FIELDS} 17`
    .split(" ")
    .map((field) => `bin(${packet(0x10, ...CONNECT_4)}),mqtt_field_value(CONNECT,${field})`),
  ..."flags protocol_version reason_code 36 18 19 37 34"
    .split(" ")
    .map((field) => `bin(${CONNACK_5}),mqtt_field_value(connack,${field})`),
  ..."flags protocol_version reason_code"
    .split(" ")
    .map((field) => `bin(${CONNACK_4}),mqtt_field_value(2,${field})`),
  ..."24 1 2 3 8 9 39 22"
    .split(" ")
    .map((field) => `bin(${connect("MQTT", 5, 2, sized(), text("x"))}),mqtt_field_value(1,${field})`),
  `bin(${CONNACK_4}),mqtt_field_value(connect,flags)`,
  `bin(${connect("MQTT", 4, 0x42, text("x"), text("pw"))}),mqtt_field_value(1,password)`,
];

/** Fields of every wire type, the first one twice. */
const PROTOBUF_MESSAGE = [
  ...["089601", "1207082a1203616263", "19000000000000f83f", "2500002040", "2803", "3dffffffff"],
  ...["41ffffffffffffffff", "48ffffffffffffffffff01", "50ffffffff0f", "0805"],
].join("");
const GRPC_MESSAGE = `00${hex(long(PROTOBUF_MESSAGE.length / 2))}${PROTOBUF_MESSAGE}`;
const FIELDS = [
  ..."1 1,int32 1,sint32 1,bool 1,double 1.1 2 2.1 2.1,int32 2.2 2.3 2,int32 3 3,double 3,fixed64".split(" "),
  ..."3,sfixed64 4 4,float 4,fixed32 5,sint32 5,bool 7,sfixed32 7,fixed32 8,sfixed64 8,fixed64 9".split(" "),
  ..."9,int32 9,uint64 9,uint32 9,sint64 10,int32 10,uint32 10,sint32 10,enum 11".split(" "),
];

const PROTOBUF: readonly string[] = [
  ...FIELDS.map((field) => `bin(${PROTOBUF_MESSAGE}),protobuf(${field}),hex`),
  `bin(${PROTOBUF_MESSAGE}),protobuf(9,int64)`,
  `bin(${GRPC_MESSAGE}),ungrpc(2.1,int32)`,
  `bin(${GRPC_MESSAGE}),ungrpc(2.2)`,
  "bin(0000),ungrpc(1)",
  `bin(${PROTOBUF_MESSAGE.slice(0, 12)}),protobuf(2.1,int32)`,
];

/** Around every length at which the hashes go another way. */
const HASH_LENGTHS = [
  1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 97, 128, 129, 200, 240, 241, 500, 1023, 1024, 1025,
  1300,
];

const HASHES: readonly string[] = [
  ...HASH_LENGTHS.flatMap((length) => {
    const letters = Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * 7 + length) % 26)));
    const converters = ["xxh3", "xxh3(1)", "xxh3(-3)", "xxh64", "xxh64(99)"];
    return converters.map((converter) => `str(${letters.join("")}),${converter}`);
  }),
  "str(),xxh3",
  "str(),xxh64",
  "url,xxh64,hex",
  ...[
    "and(255)",
    "mod(1000)",
    "add(1)",
    "sub(-9)",
    "mul(3)",
    "div(7)",
    "or(1)",
    "xor(1)",
    "neg",
    "cpl",
  ].flatMap((converter) => [`url,xxh64,${converter}`, `str(abcd),xxh3,${converter}`]),
  ...["bool", "not", "even", "odd", "htonl,hex", "hex", "bytes(0,4),hex"].map(
    (converter) => `url,xxh64,${converter}`,
  ),
  "url,xxh3,hex",
];

const base64url = (value: string | Buffer): string => Buffer.from(value).toString("base64url");
const SIGNED = [
  base64url('{"alg":"HS256","typ":"JWT","n":7}'),
  base64url('{"sub":"1234567890","name":"John Doe","iat":1516239022,"ok":true}'),
].join(".");
const TOKEN = `${SIGNED}.${base64url(createHmac("sha256", "secret").update(SIGNED).digest())}`;

const TOKENS: readonly string[] = [
  ...["jwt_header_query('\\$.alg')", "jwt_header_query('\\$.n','int')"],
  ...["jwt_payload_query('\\$.name')", "jwt_payload_query('\\$.iat','int')"],
  ...["jwt_payload_query('\\$.ok')", "jwt_payload_query('\\$.none')", "jwt_verify(HS256,secret)"],
  ...["jwt_verify(HS256,wrong)", "jwt_verify(HS512,secret)", "jwt_verify(none,x)"],
  ...["jwt_verify(RS256,/nowhere)", "jwt_verify(txn.v,secret)"],
]
  .map((converter) => `str(${TOKEN}),${converter}`)
  .concat([
    `str(a${TOKEN}),jwt_verify(HS256,secret)`,
    `str(${SIGNED}.),jwt_verify(HS256,secret)`,
    `str(${SIGNED}.),jwt_verify(none,x)`,
    `str(${SIGNED}),jwt_verify(HS256,secret)`,
    `str(${SIGNED}),jwt_verify(none,x)`,
    "str(abc),jwt_header_query",
    "str(abc),jwt_payload_query",
    // "sealed" under 16 zero bytes, with a nonce of 12.
    "str(l1mPFD3j),b64dec,aes_gcm_dec(128,AAAAAAAAAAAAAAAA,AAAAAAAAAAAAAAAAAAAAAA==,AAAAAAAAAAAAAAAAAAAAAA==)",
  ]);

const LANGUAGES: readonly string[] = [
  "str('fr;q=0.5, en;q=0.8'),language(en;fr)",
  "str('fr-CH, en;q=0.8'),language(en;fr)",
  "str('fr-CH, en;q=0.8'),language(en;fr-CH;fr)",
  "str(de),language(en;fr)",
  "str(de),language(en;fr,xx)",
  "str('en;q=0'),language(en;fr,none)",
  "str('en, fr'),language(fr;en)",
  "str('*'),language(fr,none)",
  "str(FR),language(fr,none)",
  "str('fr;q=0.5,en;q=0.50'),language(en;fr)",
];

export const MESSAGE_EXPRESSIONS: readonly string[] = [
  ...MQTT,
  ...PROTOBUF,
  ...HASHES,
  ...TOKENS,
  ...LANGUAGES,
  'req.hdr(x-list),add_item("-",txn.none,x)',
  'str(),add_item("-",,x)',
  'str(a),add_item("-",txn.v,x)',
  'str(a),add_item("-",txn.none)',
  ..."baseq url32 base32+src,hex url32+src,hex http_auth_bearer http_auth_bearer(user-agent)".split(" "),
  ..."http_auth_bearer(x-bearer) baseq,length".split(" "),
  "str(pool),nbsrv",
  "str(nowhere),nbsrv",
  "str(pool/one),srv_queue",
  "str(pool/none),srv_queue",
  "str(ssh),map_str_int(MAPS/ports)",
  "str(ftp),map_str_int(MAPS/ports)",
  "str(ftp),map_str_int(MAPS/ports,-7)",
  "str(sshd),map_beg_int(MAPS/ports,0),add(1)",
  "str(x.gateway),map_end_ip(MAPS/addresses)",
  "str(x),map_sub_ip(MAPS/addresses,192.0.2.9)",
];
